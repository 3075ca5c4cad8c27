"""Pages of what was used and what it cost."""
