"""The kqi command, for people with a terminal."""
