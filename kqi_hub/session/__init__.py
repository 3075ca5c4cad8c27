"""What runs inside a notebook's server, as the person: a jupyter_server extension."""
