"""Scripts that make and mend a person's conda world."""
