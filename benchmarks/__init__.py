"""Side-by-side benchmarks: ours, a peer, and the floor that nothing can go below."""
