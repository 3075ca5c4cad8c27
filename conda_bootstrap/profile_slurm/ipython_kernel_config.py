"""The engines' own shells in the profile `slurm`; nothing is set here.

This file may be changed: from then on KQI Hub leaves it alone.
"""
