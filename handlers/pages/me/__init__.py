"""What people look at and change about themselves, one file a tab."""
