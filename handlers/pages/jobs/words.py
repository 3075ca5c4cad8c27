"""What states and kinds of Slurm's jobs are called, and where what they are of lies."""

from collections.abc import Mapping
from typing import Final

from handlers.pages.notebooks.words import Status
from kqi_hub.domain.own_jobs import JobKind, Show
from kqi_hub.i18n import N_

_STATES: Final[Mapping[str, Status]] = {
    "PENDING": Status("wait", N_("Waiting")),
    "CONFIGURING": Status("busy", N_("Starting"), "arrow-clockwise"),
    "RUNNING": Status("busy", N_("Running")),
    "COMPLETING": Status("busy", N_("Ending"), "arrow-clockwise"),
    "SUSPENDED": Status("wait", N_("Suspended"), "pause-fill"),
    "STOPPED": Status("wait", N_("Suspended"), "pause-fill"),
    "REQUEUED": Status("wait", N_("Waiting again")),
    "REQUEUE_HOLD": Status("idle", N_("Held"), "pause-fill"),
    "COMPLETED": Status("good", N_("Completed")),
    "FAILED": Status("bad", N_("Failed")),
    "TIMEOUT": Status("bad", N_("Time limit reached"), "clock-history"),
    "DEADLINE": Status("bad", N_("Deadline missed"), "clock-history"),
    "OUT_OF_MEMORY": Status("bad", N_("Out of memory"), "memory"),
    "NODE_FAIL": Status("bad", N_("Node failed"), "plug"),
    "BOOT_FAIL": Status("bad", N_("Node failed"), "plug"),
    "CANCELLED": Status("idle", N_("Cancelled"), "slash-circle"),
    "PREEMPTED": Status("idle", N_("Gave way to another"), "slash-circle"),
    "REVOKED": Status("idle", N_("Cancelled"), "slash-circle"),
}
HELD: Final = Status("idle", N_("Held"), "pause-fill")
KINDS: Final[Mapping[JobKind, str]] = {
    JobKind.NOTEBOOK: N_("Notebook"),
    JobKind.TRAINING: N_("Training"),
    JobKind.INFERENCE: N_("Inference"),
    JobKind.PREPROCESSING: N_("Preprocessing"),
    JobKind.TENSORBOARD: N_("TensorBoard"),
    JobKind.ENVIRONMENT: N_("Environment"),
    JobKind.OTHER: N_("By hand"),
}
SHOWS: Final[Mapping[Show, str]] = {
    Show.ALL: N_("All"),
    Show.LIVE: N_("Waiting and running"),
    Show.WAITING: N_("Waiting"),
    Show.RUNNING: N_("Running"),
    Show.ENDED: N_("Ended"),
}
# Kinds with a page for each thing, and the folder of those pages.
_PAGES: Final[Mapping[JobKind, str]] = {
    JobKind.NOTEBOOK: "notebooks",
    JobKind.TRAINING: "training",
    JobKind.INFERENCE: "inference",
    JobKind.TENSORBOARD: "training",
}
# Kinds whose script names a log in the person's folder of logs.
_LOGGED: Final = frozenset(
    {JobKind.NOTEBOOK, JobKind.TRAINING, JobKind.INFERENCE, JobKind.PREPROCESSING}
)


def state_of(state: str) -> Status:
    """Return what a state is called; one that is new to us stays in Slurm's words."""
    return _STATES.get(state, Status("odd", state))


def page_of(kind: JobKind, thing: int | None) -> str:
    """Return where the page of what a job is of is; empty where there is none."""
    folder = _PAGES.get(kind, "")
    return f"{folder}/{thing}" if folder and thing is not None else ""


def log_of(kind: JobKind, slurm_id: str) -> str:
    """Return a log's name in the person's folder of logs; empty where not known."""
    return f"{slurm_id}.log" if kind in _LOGGED else ""
