"""The profile `slurm` of IPython: for `ipython --profile=slurm`; nothing is set here.

This file may be changed: from then on KQI Hub leaves it alone.
"""
