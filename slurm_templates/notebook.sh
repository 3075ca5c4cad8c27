#!/bin/bash
# A notebook of KQI Hub: one job, in it one JupyterLab or Notebook server.
# The name ends in a random key, by which the portal finds the job again.
#SBATCH --job-name={{job_name}}
#SBATCH --partition={{partition}}
#SBATCH --account={{account}}
#SBATCH --nodes=1
#SBATCH --ntasks=1
#SBATCH --cpus-per-task={{cpus}}
#SBATCH --mem={{memory_mb}}M
#SBATCH --gres={{gres}}
#SBATCH --time={{minutes}}
#SBATCH --output={{log}}
#SBATCH --open-mode=append
#SBATCH --no-requeue
# So many seconds before the time limit the server warns the people in it.
#SBATCH --signal=B:USR1@{{end_warn_s}}

# That signal ends nothing before there is somebody to hear it.
trap '' USR1
# What srun starts from a terminal of the notebook gets that terminal's environment.
export SLURM_EXPORT_ENV=ALL
# What is made here is nobody else's to read unless its owner says so.
umask 077

# Everything else that was chosen, and what must stay secret, is in this file (0600).
exec {{python}} -I -m kqi_hub.runner.notebook {{order}}
