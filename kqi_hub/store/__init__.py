"""The store: a process of its own user that owns every tenant's data."""
