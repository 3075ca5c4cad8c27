"""The worker process: one poller of Slurm for everybody."""
