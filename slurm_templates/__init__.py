"""The sbatch scripts of every job kind."""
