#!/bin/sh
# Make an environment anew; `-h` says what stays.
case "${1:-}" in
-h | --help)
  cat <<'TEXT'
usage: reset_env.sh [NAME] [--bring-back] [--scratch DIR]

Makes a conda environment anew from its base, for when installs have broken it. NAME is
`notebook` unless you say another. The new one is made beside the old one and takes its
place when it is whole; workspace/ and log/ are not touched. The list of packages that
you had added is kept.

  --bring-back    install those packages again into the new one
TEXT
  exit 0
  ;;
esac
@COMMON@
case "${1:-}" in
"" | -*) set -- notebook "$@" ;;
esac
bootstrap reset "$@"
