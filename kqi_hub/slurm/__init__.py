"""The one door to Slurm: commands, parsing, adapters."""
