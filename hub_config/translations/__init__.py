"""The catalogues of texts in Japanese and Korean; English is what the code says."""
