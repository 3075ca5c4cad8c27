#!/bin/sh
# Install ipyparallel's `slurm` profile and the other plug-ins; `-h` says more.
case "${1:-}" in
-h | --help)
  cat <<'TEXT'
usage: kqi_conda_plugins.sh [--scratch DIR]

Puts the plug-ins for notebooks into the environment that is activated: ipyparallel
with a profile `slurm`, and TensorBoard. `kqi_conda_jupyter.sh` has done it for the
environment `notebook`; run this for an environment that you made yourself.

  conda activate NAME      (or: . /scratch/<you>/.conda/envs/NAME/bin/activate)
  kqi_conda_plugins.sh

Outside of an activated environment it says so and does nothing.
TEXT
  exit 0
  ;;
esac
@COMMON@
if [ -z "${CONDA_PREFIX:-}" ]; then
  echo "No conda environment is activated, so there is nothing to add plug-ins to." >&2
  echo "Nothing was done. Activate one and run this again:" >&2
  echo "  conda activate notebook" >&2
  exit 3
fi
bootstrap plugins "$@"
