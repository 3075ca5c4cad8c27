#!/bin/bash
# A run of KQI Hub: a training, an inference or a preprocessing of one item of data.
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
# So many seconds before the time limit, programs that wait for USR1 get it.
#SBATCH --signal=B:USR1@{{end_warn_s}}

# That signal ends nothing before there is somebody to hear it.
trap '' USR1
# What srun starts from the command gets the command's environment.
export SLURM_EXPORT_ENV=ALL
# What is made here is nobody else's to read unless its owner says so.
umask 077

# Dataset, source, variables and command are in the first file (0600), or in order.json
# of the folder, where this job has left them the first time. By hand: sbatch THIS-FILE
exec {{python}} -I -X utf8 -m kqi_hub.runner.run {{order}} {{folder}}
