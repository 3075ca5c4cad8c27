"""Into one's own running jobs: terminals, ports, TensorBoards, and how runs stand."""
