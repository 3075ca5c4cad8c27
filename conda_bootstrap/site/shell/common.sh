# Written by `conda_bootstrap.site publish`: do not change it, publish again.
set -u
python=@PYTHON@
site=@SITE@
if [ ! -x "$python" ]; then
  echo "$0: the site's Python, $python, is not here." >&2
  echo "Nothing was done. On a login node it should be: tell the operators." >&2
  exit 1
fi
# -I: neither the folder this is called from nor your own packages can change what runs.
bootstrap() { "$python" -I -m conda_bootstrap --site "$site" "$@"; }
