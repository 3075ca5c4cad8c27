"""The privileged door: a client, and the helper that becomes a person."""
