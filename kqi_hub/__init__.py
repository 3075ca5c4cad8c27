"""KQI Hub: a Slurm-integrated HPC portal on JupyterHub."""

__version__ = "0.1.0"
