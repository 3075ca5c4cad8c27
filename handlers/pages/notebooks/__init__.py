"""Notebooks on the web: list, form, progress and history, one file a page."""
