"""The sbatch script of a run, or of an array of runs: templates, checked values."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from kqi_hub.domain.ports import BatchScript
from kqi_hub.domain.runs import Run
from kqi_hub.i18n import N_
from kqi_hub.slurm.directives import Directives, filled

_JOB: Final = re.compile(
    r"(?:training|inference|preprocessings?)-[1-9][0-9]{0,17}-[a-z2-7]{26}", re.ASCII
)
_FOLDER: Final = re.compile(
    r"(?:training|inference|preprocessing)/[1-9][0-9]{0,17}(?:\.[1-9][0-9]{0,17})?",
    re.ASCII,
)
# What sbatch fills in: the job's id; of an array its own and the task's number.
_LOG: Final = "%j.log"
_ARRAY_LOG: Final = "%A_%a.log"
_DIRECTIVES: Final = Directives(
    N_("The run cannot be submitted: {what} must not be {value}."),
    N_("Change it in the form, or ask an operator if you did not choose it."),
)
# Below the address of the site.
_PORTAL: Final = "services/portal/"


@dataclass(frozen=True, slots=True)
class RunPlace:
    """Where runs are launched, the same for everybody.

    `python` is an interpreter with this product in it, as compute nodes see it; the
    site's own tools are beside it. `defaults` are the operator's variables that people
    may override, such as proxies and COLUMNS (K-102, K-103). `ca_file` has the
    certificates, as nodes see them, that the portal's is checked with; empty for those
    of the node.
    """

    scratch_root: str
    python: str
    portal_url: str
    end_warn_s: int = 600
    defaults: Mapping[str, str] = field(default_factory=dict)
    hands_out_tokens: bool = False
    ca_file: str = ""
    # For how long a person's container images are kept that no run uses; 0: for ever.
    images_kept_s: int = 0

    @property
    def site_url(self) -> str:
        """Return the address that `kqi` is given, which is that of the whole site."""
        return self.portal_url.removesuffix(_PORTAL)


def run_script(run: Run, place: RunPlace, tasks: int = 0) -> BatchScript:
    """Return a run's script; InvalidInput when a value cannot be in one.

    With `tasks` it is an array of so many, and `run` the first of them.
    """
    spec, root = run.spec, own_folder(run.owner, place)
    values = _DIRECTIVES.resources(
        spec.queue, spec.tenant, spec.shape, spec.lifetime_s
    ) | {
        "job_name": _name(run),
        "log": f"{root}/log/{_ARRAY_LOG if tasks else _LOG}",
        # Slurm warns at once where the whole time is shorter than that.
        "end_warn_s": _DIRECTIVES.warning(min(place.end_warn_s, spec.lifetime_s // 2)),
        "python": _DIRECTIVES.path(N_("the runs' Python"), place.python),
        "order": order_path(run, place),
        "folder": run_folder(run, place),
    }
    if not tasks:
        return BatchScript(run.job_name, filled("run.sh", values), chdir=root)
    _DIRECTIVES.number(N_("the number of tasks"), tasks)
    text = filled("runs.sh", values | {"last_task": str(tasks - 1)})
    return BatchScript(run.job_name, text, chdir=root)


def own_folder(owner: str, place: RunPlace) -> str:
    """Return a person's folder on scratch."""
    return _DIRECTIVES.own_folder(place.scratch_root, owner)


def run_folder(run: Run, place: RunPlace) -> str:
    """Return where a run lies."""
    folder = _DIRECTIVES.checked(_FOLDER, N_("the run's folder"), run.folder)
    return f"{own_folder(run.owner, place)}/kqi/{folder}"


def output_folder(run: Run, place: RunPlace) -> str:
    """Return where a run's results lie."""
    return f"{run_folder(run, place)}/output"


def log_path(run: Run, place: RunPlace) -> str:
    """Return where Slurm writes a run's log; empty before it has a job."""
    return run.slurm_id and f"{own_folder(run.owner, place)}/log/{run.slurm_id}.log"


def order_path(run: Run, place: RunPlace) -> str:
    """Return the file that tells the job what was chosen, and its secrets."""
    return f"{own_folder(run.owner, place)}/kqi/secrets/{_name(run)}"


def _name(run: Run) -> str:
    return _DIRECTIVES.checked(_JOB, N_("the job's name"), run.job_name)
