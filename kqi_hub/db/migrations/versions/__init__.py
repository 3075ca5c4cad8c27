"""One module for each step, named NNNN_what_it_does.py."""
