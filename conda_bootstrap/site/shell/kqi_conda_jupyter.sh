#!/bin/sh
# Set up your conda world for notebooks; `-h` says what that is.
case "${1:-}" in
-h | --help)
  cat <<'TEXT'
usage: kqi_conda_jupyter.sh [--scratch DIR]

Sets up, once, what your notebooks run in: the conda environment `notebook` below
/scratch/<you>/.conda/envs, with its kernel and plug-ins, and the folders workspace/
and log/. It takes seconds. What is there already stays as it is: run it again at any
time, also after an interruption.

  --scratch DIR   your folder on scratch, if it is not /scratch/<you>

See also: kqi_conda_plugins.sh, reset_env.sh
TEXT
  exit 0
  ;;
esac
@COMMON@
bootstrap setup "$@"
