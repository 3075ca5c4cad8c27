"""Add Python packages with the environment's own pip while it is still a stage."""

import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from conda_bootstrap.errors import WrongUse
from conda_bootstrap.places import Places
from conda_bootstrap.prefix_text import replace_in_scripts
from conda_bootstrap.reporting import Report

_ALL_S: Final = 1800.0
_EACH_S: Final = 300.0
_SPEC: Final = re.compile(r"[A-Za-z0-9](?:[^\x00-\x1f\x7f]{0,500})")


def check_spec(spec: str) -> str:
    """Return what pip will be told, or refuse what is an option or no text."""
    if not _SPEC.fullmatch(spec):
        raise WrongUse(
            "pip",
            f"{ascii(spec)[:80]} cannot be given to pip here.",
            "Name packages, for example seaborn==0.13.2. Options such as -r and -e "
            "refer to files that are not part of this one.",
        )
    return spec


def install(
    specs: Sequence[str], stage: Path, final: Path, places: Places, report: Report
) -> list[str]:
    """Install with pip; return what could not be had, which is not an error."""
    if not specs:
        return []
    checked = [check_spec(one) for one in specs]
    report.phase("pip", "Packages of pip", len(checked))
    lacking = checked
    if _runs(checked, stage, places, _ALL_S):
        lacking = []
    elif len(checked) > 1:
        # One that is not to be had must not keep out the others.
        lacking = [one for one in checked if not _runs([one], stage, places, _EACH_S)]
    report.progress(len(checked) - len(lacking))
    replace_in_scripts(stage / "bin", stage, final)
    if lacking:
        report.note(
            f"pip could not get: {', '.join(lacking)}. Without a way to its index from "
            "here, ask the operators for them or for a mirror."
        )
    return lacking


def _runs(specs: Sequence[str], stage: Path, places: Places, limit_s: float) -> bool:
    python = stage / "bin" / "python"
    argv = [str(python), "-m", "pip", "install", "--no-input", "--no-compile"]
    argv += ["--disable-pip-version-check", "--no-warn-script-location", "--quiet"]
    argv += ["--retries", "0", "--timeout", "15"]
    argv += ["--cache-dir", str(places.own / "pip"), "--", *specs]
    own = {"PYTHONNOUSERSITE": "1", "PIP_USER": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        answer = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            env=os.environ | own,
            timeout=limit_s,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0
