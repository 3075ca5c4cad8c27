"""The sbatch script of a notebook's session: a readable template, checked values."""

import math
import re
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Final

from kqi_hub.domain.errors import InvalidInput
from kqi_hub.domain.names import is_name
from kqi_hub.domain.notebooks import NotebookRules, Session, Shape
from kqi_hub.domain.phrase import Phrase
from kqi_hub.domain.ports import BatchScript
from kqi_hub.i18n import N_

_BLANK: Final = re.compile(r"\{\{(\w+)\}\}", re.ASCII)
# What each value may look like: no space, quote, line end, `$`, `#`, or leading dash.
_WORD: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,63}", re.ASCII)
_QUEUES: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,127}", re.ASCII)
_PATH: Final = re.compile(r"(?:/[A-Za-z0-9_.+@-]{1,128}){1,32}", re.ASCII)
_JOB: Final = re.compile(r"nb-[1-9][0-9]{0,17}-[a-z2-7]{26}", re.ASCII)
# `%j` is sbatch's for the job's id, and the one thing that it may fill in.
_LOG: Final = "%j.log"
_MOST: Final = 2**31 - 1
# More than this sbatch does not take.
_LATEST_SIGNAL_S: Final = 65535


@dataclass(frozen=True, slots=True)
class LaunchPlace:
    """Where sessions are launched, the same for everybody.

    `session_python` is the interpreter of the site's environment for notebook
    servers, as the compute nodes see it.
    """

    scratch_root: str
    session_python: str
    hub_api_url: str
    portal_url: str
    rules: NotebookRules = field(default_factory=NotebookRules)
    timezone: str = "UTC"


def notebook_script(session: Session, place: LaunchPlace) -> BatchScript:
    """Return the script of a session; InvalidInput when a value cannot be in one."""
    folder = own_folder(session.owner, place)
    log = f"{folder}/log/{_LOG}"
    chosen, rules = session.chosen, place.rules
    values = {
        "job_name": _checked(_JOB, N_("the job's name"), session.job_name),
        "partition": _checked(_QUEUES, N_("the queue"), chosen.queue),
        "account": _checked(_WORD, N_("the tenant"), chosen.tenant),
        "cpus": _number(N_("the number of CPUs"), chosen.shape.cpus),
        "memory_mb": _number(N_("the memory in MB"), chosen.shape.memory_mb),
        "gres": _gres(chosen.shape),
        "minutes": _minutes(chosen.lifetime_s),
        "log": log,
        "end_warn_s": _number(
            N_("the warning before the end"), min(rules.end_warn_s, _LATEST_SIGNAL_S)
        ),
        "python": _path(N_("the sessions' Python"), place.session_python),
        "order": order_path(session, place),
    }
    return BatchScript(session.job_name, _filled(values), chdir=folder)


def own_folder(owner: str, place: LaunchPlace) -> str:
    """Return a person's folder on scratch."""
    if not is_name(owner):
        raise _refused(N_("the owner"), owner)
    return _path(N_("the folder on scratch"), f"{place.scratch_root}/{owner}")


def order_path(session: Session, place: LaunchPlace) -> str:
    """Return the file that tells the job what was chosen, and its secrets."""
    name = _checked(_JOB, N_("the job's name"), session.job_name)
    return f"{own_folder(session.owner, place)}/kqi/secrets/{name}"


@cache
def _template() -> str:
    return (files("slurm_templates") / "notebook.sh").read_text(encoding="ascii")


def _filled(values: dict[str, str]) -> str:
    """Fill the template; a line whose value is empty is left out."""
    lines = []
    for line in _template().splitlines(keepends=True):
        if any(not values[name] for name in _BLANK.findall(line)):
            continue
        lines.append(_BLANK.sub(lambda found: values[found[1]], line))
    return "".join(lines)


def _gres(shape: Shape) -> str:
    if shape.gpus == 0:
        return ""
    count = _number(N_("the number of GPUs"), shape.gpus)
    if not shape.gpu_type:
        return f"gpu:{count}"
    return f"gpu:{_checked(_WORD, N_('the kind of GPU'), shape.gpu_type)}:{count}"


def _minutes(lifetime_s: int | None) -> str:
    if lifetime_s is None:
        return ""
    seconds = int(_number(N_("the lifetime in seconds"), lifetime_s))
    return str(math.ceil(seconds / 60))


def _number(what: str, value: object) -> str:
    if type(value) is not int or not 1 <= value <= _MOST:
        raise _refused(what, value)
    return str(value)


def _path(what: str, value: str) -> str:
    if "/../" in f"{value}/" or "/./" in f"{value}/":
        raise _refused(what, value)
    return _checked(_PATH, what, value)


def _checked(allowed: re.Pattern[str], what: str, value: object) -> str:
    if not isinstance(value, str) or allowed.fullmatch(value) is None:
        raise _refused(what, value)
    return value


def _refused(what: str, value: object) -> InvalidInput:
    return InvalidInput(
        "The notebook cannot be submitted: {what} must not be {value}.",
        N_("Change it in the notebook, or ask an operator if you did not choose it."),
        what=Phrase(what),
        value=ascii(value)[:80],
    )
