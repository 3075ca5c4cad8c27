"""How an older database becomes the one that `tables.py` describes."""
