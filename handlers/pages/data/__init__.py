"""Data on the web: list, upload, one item with its files, one file a page."""
