"""What the pages take from npm, and how it gets here."""
