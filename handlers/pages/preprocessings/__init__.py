"""Preprocessings on the web: list, definition, runs; one file a page."""
