#!/bin/bash
# A TensorBoard of KQI Hub: shows what runs have written, until its time is over.
#SBATCH --job-name={{job_name}}
#SBATCH --partition={{partition}}
#SBATCH --account={{account}}
#SBATCH --nodes=1
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=1
#SBATCH --mem={{memory_mb}}M
#SBATCH --time={{minutes}}
#SBATCH --output={{log}}
#SBATCH --open-mode=truncate
#SBATCH --no-requeue

# It listens on a socket in a folder of its owner's: nobody else on the node reaches it.
umask 077
place=$(mktemp -d /tmp/kqi-tensorboard-XXXXXXXX) || exit 1
trap 'rm -rf -- "$place"' EXIT
trap 'kill "$!"; wait "$!"; exit 143' TERM
export TMPDIR=$place
{{python}} -I -m kqi_hub.session.tensorboard_process "$place/socket" {{folder}}/runs &

# Where it is, for its owner's agent; the name is whole when it appears.
printf '{"job": %d, "socket": "%s/socket"}\n' "$SLURM_JOB_ID" "$place" >{{folder}}/place.new
mv {{folder}}/place.new {{folder}}/place.json
wait "$!"
