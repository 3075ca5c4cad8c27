#!/bin/bash
# Work on a conda environment of KQI Hub: made, reset, mended or removed as its owner.
# The name ends in a key, by which the owner's agent finds the job again.
#SBATCH --job-name={{job_name}}
#SBATCH --partition={{partition}}
#SBATCH --account={{account}}
#SBATCH --nodes=1
#SBATCH --ntasks=1
#SBATCH --cpus-per-task={{cpus}}
#SBATCH --mem={{memory_mb}}M
#SBATCH --time={{minutes}}
#SBATCH --output={{log}}
#SBATCH --open-mode=append
#SBATCH --no-requeue
# So many seconds before the time limit it is told, so that it ends cleanly.
#SBATCH --signal=B:TERM@60

# What is made here is nobody else's to read unless its owner says so.
umask 077

# What is to be done is in the folder. Running this twice does it once.
exec {{python}} -I -m conda_bootstrap --scratch {{scratch}} --site {{site}} task {{folder}}
