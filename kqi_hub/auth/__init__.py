"""Directory, one-time codes, throttling, roles."""
