"""Install the profile `slurm` of IPython Parallel into a person's IPython folder."""

import hashlib
import json
import os
import re
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# The files themselves: they run in the person's own Python.
_SOURCE: Final = Path(__file__).with_name("profile_slurm")
_FACTS: Final = "kqi.json"
_MARK: Final = re.compile(r"# KQI Hub wrote this, as ([0-9a-f]{64})\n")
_LONGEST: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Facts:
    """What the profile is told of its place."""

    logs: Path  # where Slurm writes what engines say


def _tell(text: str) -> None:
    sys.stdout.write(text + "\n")


def install_profile(
    ipython_dir: Path, facts: Facts, say: Callable[[str], None] = _tell
) -> list[Path]:
    """Write what is missing or older than ours; return what was written.

    A file that the person has changed is left as it is, and that is said.
    """
    profile = ipython_dir / "profile_slurm"
    # The controller's keys come to lie here.
    profile.mkdir(mode=0o700, parents=True, exist_ok=True)
    told = json.dumps({"logs": str(facts.logs)}, indent=1) + "\n"
    written = _written(profile / _FACTS, told)
    for source in sorted(_SOURCE.glob("ip*_config.py")):
        body = source.read_text(encoding="utf-8")
        target = profile / source.name
        if _is_changed(target):
            say(f"{target} was changed by hand and is left as it is.")
            continue
        written += _written(target, _marked(body))
    return written


def _marked(body: str) -> str:
    digest = hashlib.sha256(body.encode()).hexdigest()
    return f"# KQI Hub wrote this, as {digest}\n{body}"


def _is_changed(target: Path) -> bool:
    """Tell whether there is something that is not exactly what we once wrote."""
    if target.is_symlink():
        return True
    if not target.exists():
        return False
    text = _text(target)
    mark = _MARK.match(text)
    return mark is None or _marked(text[mark.end() :]) != text


def _text(file: Path) -> str:
    """Return a plain file's text; empty when it is anything else."""
    if not file.is_file():
        return ""
    with file.open(encoding="utf-8", errors="replace", newline="") as stream:
        return stream.read(_LONGEST)


def _written(target: Path, text: str) -> list[Path]:
    """Write it all at once, if it is not there: another session may read it now."""
    if not target.is_symlink() and _text(target) == text:
        return []
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}-")
    half = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        half.replace(target)
    except OSError:
        half.unlink(missing_ok=True)
        raise
    return [target]
