"""The batch script of a TensorBoard: a template, filled with checked values."""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from kqi_hub.agent.environment_script import check, filled
from kqi_hub.agent.errors import Problem

_MEMORY_MB: Final = 2048
_NAME: Final = re.compile(r"tensorboard-[1-9][0-9]{0,14}-[a-z2-7]{26}", re.ASCII)


def board_script(
    job_name: str, folder: Path, python: str, where: Mapping[str, str], hours: int
) -> str:
    """Return the script; Problem when a value cannot be in one."""
    if not _NAME.fullmatch(job_name):
        raise Problem(400, "invalid-input", "This is no name of a TensorBoard.")
    values = {
        "job_name": job_name,
        "partition": where["queue"],
        "account": where["tenant"],
        "memory_mb": str(_MEMORY_MB),
        "minutes": str(hours * 60),
        "log": str(folder / "log"),
        "python": python,
        "folder": str(folder),
    }
    for name, value in values.items():
        check(name, value)
    return filled(_template(), values)


@cache
def _template() -> str:
    return (files("slurm_templates") / "tensorboard.sh").read_text(encoding="ascii")
