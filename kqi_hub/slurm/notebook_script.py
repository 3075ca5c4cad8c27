"""The sbatch script of a notebook's session: a readable template, checked values."""

import re
from dataclasses import dataclass, field
from typing import Final

from kqi_hub.domain.notebooks import NotebookRules, Session
from kqi_hub.domain.ports import BatchScript
from kqi_hub.i18n import N_
from kqi_hub.slurm.directives import Directives, filled

_JOB: Final = re.compile(r"nb-[1-9][0-9]{0,17}-[a-z2-7]{26}", re.ASCII)
# `%j` is sbatch's for the job's id, and the one thing that it may fill in.
_LOG: Final = "%j.log"
_DIRECTIVES: Final = Directives(
    N_("The notebook cannot be submitted: {what} must not be {value}."),
    N_("Change it in the notebook, or ask an operator if you did not choose it."),
)


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
    chosen, rules = session.chosen, place.rules
    values = _DIRECTIVES.resources(
        chosen.queue, chosen.tenant, chosen.shape, chosen.lifetime_s
    ) | {
        "job_name": _name(session),
        "log": f"{folder}/log/{_LOG}",
        "end_warn_s": _DIRECTIVES.warning(rules.warned_s(chosen.lifetime_s)),
        "python": _DIRECTIVES.path(N_("the sessions' Python"), place.session_python),
        "order": order_path(session, place),
    }
    text = filled("notebook.sh", values)
    return BatchScript(session.job_name, text, chdir=folder)


def own_folder(owner: str, place: LaunchPlace) -> str:
    """Return a person's folder on scratch."""
    return _DIRECTIVES.own_folder(place.scratch_root, owner)


def order_path(session: Session, place: LaunchPlace) -> str:
    """Return the file that tells the job what was chosen, and its secrets."""
    name = _name(session)
    return f"{own_folder(session.owner, place)}/kqi/secrets/{name}"


def _name(session: Session) -> str:
    return _DIRECTIVES.checked(_JOB, N_("the job's name"), session.job_name)
