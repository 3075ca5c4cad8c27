"""What JupyterHub loads into itself: authenticator and spawners."""
