"""The small server that runs as the person it serves."""
