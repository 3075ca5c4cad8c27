"""Pages of all jobs that a person has in Slurm."""
