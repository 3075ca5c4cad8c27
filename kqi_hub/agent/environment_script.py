"""The batch script of a task: a readable template, filled with checked values."""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from kqi_hub.agent.environment_rules import EnvironmentRules
from kqi_hub.agent.errors import Problem
from kqi_hub.agent.task_folder import key_of, task_path

_BLANK: Final = re.compile(r"\{\{(\w+)\}\}", re.ASCII)
# What each value may look like: no space, quote, line end, `$`, `#`, or leading dash.
_WORD: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,127}", re.ASCII)
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,9}", re.ASCII)
_PATH: Final = re.compile(r"(?:/[A-Za-z0-9_.+@-]{1,128}){1,32}", re.ASCII)
_PLACES: Final = frozenset({"log", "python", "scratch", "site", "folder"})
_NUMBERS: Final = frozenset({"cpus", "memory_mb", "minutes"})
_MAY_BE_EMPTY: Final = frozenset({"partition", "account"})
_ODD: Final = re.compile(r"[^a-z0-9._-]", re.ASCII)


def job_name(task_id: str, name: str) -> str:
    """Return what the job is called, whatever its environment is called."""
    return f"env-{_ODD.sub('_', name.lower())[:40]}-{key_of(task_id)}"


def environment_script(
    root: Path, task_id: str, sent: Mapping[str, str], rules: EnvironmentRules
) -> str:
    """Return the script; Problem when a value cannot be in one."""
    folder = task_path(root, task_id)
    values = {
        "job_name": job_name(task_id, sent["name"]),
        "partition": sent["queue"],
        "account": sent["tenant"],
        "cpus": str(rules.cpus),
        "memory_mb": str(rules.memory_mb),
        "minutes": str(rules.minutes),
        "log": str(folder / "log"),
        "python": rules.python,
        "scratch": str(root),
        "site": str(rules.site),
        "folder": str(folder),
    }
    for name, value in values.items():
        check(name, value)
    return filled(_template(), values)


def check(name: str, value: str) -> None:
    """Raise Problem for a value that may not stand in a script."""
    if not value and name in _MAY_BE_EMPTY:
        return
    form = _PATH if name in _PLACES else _NUMBER if name in _NUMBERS else _WORD
    climbs = name in _PLACES and {".", ".."} & set(value.split("/"))
    if climbs or not form.fullmatch(value):
        raise Problem(
            400, "invalid-input",
            f"No job can be submitted: {name} must not be {ascii(value)[:80]}.",
        )  # fmt: skip


def filled(template: str, values: Mapping[str, str]) -> str:
    """Fill a template; a line whose value is empty is left out."""
    lines = []
    for line in template.splitlines(keepends=True):
        if all(values[name] for name in _BLANK.findall(line)):
            lines.append(_BLANK.sub(lambda found: values[found[1]], line))
    return "".join(lines)


@cache
def _template() -> str:
    return (files("slurm_templates") / "environment.sh").read_text(encoding="ascii")
