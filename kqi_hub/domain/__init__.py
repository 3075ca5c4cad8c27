"""What things are and the rules they follow: plain Python, no I/O."""
