"""The hub's configuration, page templates and static files."""
