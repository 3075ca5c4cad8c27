"""What is done with folders of runs once their jobs have ended; as the person."""
