"""The file bin/activate: for shells on machines without conda."""

import shlex
from pathlib import Path
from typing import Final

_TEXT: Final = """\
# Use with: . {prefix}/bin/activate      Undo with: deactivate
deactivate() {{
  PATH="$_KQI_OLD_PATH"
  [ -z "${{_KQI_OLD_PS1+x}}" ] || PS1="$_KQI_OLD_PS1"
  unset CONDA_PREFIX CONDA_DEFAULT_ENV _KQI_OLD_PATH _KQI_OLD_PS1
  unset -f deactivate
  hash -r 2>/dev/null
}}
[ -z "${{_KQI_OLD_PATH+x}}" ] || PATH="$_KQI_OLD_PATH"
_KQI_OLD_PATH="$PATH"
[ -n "${{_KQI_OLD_PS1+x}}" ] || [ -z "${{PS1+x}}" ] || _KQI_OLD_PS1="$PS1"
CONDA_PREFIX={prefix}
CONDA_DEFAULT_ENV={name}
PATH="$CONDA_PREFIX/bin:$PATH"
[ -z "${{_KQI_OLD_PS1+x}}" ] || PS1="($CONDA_DEFAULT_ENV) $_KQI_OLD_PS1"
export CONDA_PREFIX CONDA_DEFAULT_ENV PATH
hash -r 2>/dev/null
for _kqi_script in "$CONDA_PREFIX"/etc/conda/activate.d/*.sh; do
  [ ! -r "$_kqi_script" ] || . "$_kqi_script"
done
unset _kqi_script
"""


def write(stage: Path, final: Path) -> None:
    """Write it into an environment that no package has brought one to."""
    path = stage / "bin" / "activate"
    if path.exists() or not path.parent.is_dir():
        return
    prefix, name = shlex.quote(str(final)), shlex.quote(final.name)
    path.write_text(_TEXT.format(prefix=prefix, name=name), encoding="utf-8")
