"""Datasets on the web: list, builder, what a job sees, one file a page."""
