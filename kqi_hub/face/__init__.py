"""What the pages of the hub and of the portal are made of: one look, two processes."""
