"""What a notebook's state is called, and which sign stands beside the word."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from kqi_hub.domain.full_disk import saying_of_full_disk
from kqi_hub.domain.notebook_ends import end_in_words
from kqi_hub.domain.notebooks import Cause, Notebook, Phase, Session
from kqi_hub.i18n import N_, Texts


@dataclass(frozen=True, slots=True)
class Status:
    """A state: `kind` and `sign` as parts/status.html takes them."""

    kind: str
    word: str
    sign: str = ""


_NEVER: Final = Status("idle", N_("Not started yet"), "dash-circle")
_STOPPING: Final = Status("wait", N_("Stopping"), "stop-circle")
_LIVE: Final[Mapping[Phase, Status]] = {
    Phase.ASKED: Status("wait", N_("Submitting"), "send"),
    Phase.QUEUED: Status("wait", N_("Waiting")),
    Phase.NODE: Status("busy", N_("Starting"), "arrow-clockwise"),
    Phase.ENVIRONMENT: Status("busy", N_("Starting"), "arrow-clockwise"),
    Phase.SERVER: Status("busy", N_("Starting"), "arrow-clockwise"),
    Phase.READY: Status("busy", N_("Running")),
}
_ENDED: Final[Mapping[Cause, Status]] = {
    Cause.STOPPED: Status("idle", N_("Stopped"), "stop-circle"),
    Cause.FINISHED: Status("good", N_("Shut down")),
    Cause.IDLE: Status("idle", N_("Stopped: idle"), "moon-stars"),
    Cause.LIFETIME: Status("idle", N_("Lifetime over"), "clock-history"),
    Cause.FAILED: Status("bad", N_("Failed")),
    Cause.OUT_OF_MEMORY: Status("bad", N_("Out of memory"), "memory"),
    Cause.NODE_FAILED: Status("bad", N_("Node failed"), "plug"),
    Cause.KILLED: Status("idle", N_("Cancelled"), "slash-circle"),
    Cause.REFUSED: Status("bad", N_("Refused"), "ban"),
    Cause.LOST: Status("odd", N_("Lost")),
}
# Why a session ended and what to do about it, for who looks at it afterwards.
_SENTENCES: Final[Mapping[Cause, str]] = {
    Cause.STOPPED: N_("You stopped it. Start it again whenever you like."),
    Cause.FINISHED: N_(
        "The server was shut down from inside, such as with File, Shut Down in Lab."
    ),
    Cause.IDLE: N_(
        "Nothing ran in it and nobody used it for as long as the site allows, so it "
        "was stopped and its resources went back. Your files are as you left them."
    ),
    Cause.LIFETIME: N_(
        "Its lifetime was over. Your files are as you left them; choose a longer "
        "lifetime if you need one."
    ),
    Cause.FAILED: N_(
        "It ended by itself. The end of its log, below, usually says why; then change "
        "what is wrong and start it again."
    ),
    Cause.OUT_OF_MEMORY: N_(
        "It used more memory than it had asked for, and Slurm ended it. Start it "
        "again with more memory."
    ),
    Cause.NODE_FAILED: N_(
        "The node that it ran on failed. That is not your fault: start it again, and "
        "it gets another node."
    ),
    Cause.KILLED: N_(
        "Its job was cancelled outside the portal, such as with scancel or by an "
        "operator."
    ),
    Cause.REFUSED: N_("Slurm did not take it. Slurm's own words are below."),
    Cause.LOST: N_(
        "Neither Slurm nor its accounting knows this job any more. Your files are as "
        "you left them; start it again."
    ),
}
# It never had a job, so it has no log either.
_NEVER_BEGAN: Final = N_(
    "It could not be started, and nothing was charged. Why is said below; when that is "
    "put right, start it again."
)
_NO_ROOM: Final = N_(
    "It could not be started, because your folder on scratch is full, and nothing was "
    "charged. Delete files there that you no longer need, then start it again."
)
PHASES: Final[Mapping[Phase, str]] = {
    Phase.QUEUED: N_("In the queue"),
    Phase.NODE: N_("Node found"),
    Phase.ENVIRONMENT: N_("Environment"),
    Phase.SERVER: N_("Server"),
    Phase.READY: N_("Ready"),
}
# What is under way while a phase is the last one reached.
_UNDER_WAY: Final[Mapping[Phase, str]] = {
    Phase.ASKED: N_("It is being handed to Slurm."),
    Phase.QUEUED: N_("It waits in the queue for its turn."),
    Phase.NODE: N_("A node is found; the environment is being prepared there."),
    Phase.ENVIRONMENT: N_("The environment is ready; the server is being started."),
    Phase.SERVER: N_("The server is up; its page is about to answer."),
    Phase.READY: N_("It is ready: open it."),
}
# What the idle rule counted when it ended a session.
SEEN: Final[Mapping[str, str]] = {
    "kernels": N_("Kernels"),
    "kernels_busy": N_("Busy kernels"),
    "connections": N_("Open connections"),
    "terminals": N_("Terminals"),
    "terminals_busy": N_("Programs running in terminals"),
    "foreground": N_("Programs running in terminals"),
    "background": N_("Programs in the background"),
    "children": N_("Programs started from terminals"),
    "gpu_busy": N_("GPUs in use"),
    "gpu_processes": N_("Programs on GPUs"),
    "gpu_percent": N_("Use of the GPUs, in percent"),
    "idle_s": N_("Seconds without anything"),
}


def status_of(session: Session | None, texts: Texts) -> Status:
    """Return the state of a notebook's latest session, in the reader's language."""
    found = _status(session)
    return Status(found.kind, texts.say(found.word), found.sign)


def group_of(notebook: Notebook) -> str:
    """Return the group that a notebook's state belongs to, for the list's filter."""
    session = notebook.session
    if session is None or not session.is_live:
        return "ended"
    return "ready" if session.is_ready else "waiting"


def sentence_of(session: Session, texts: Texts) -> str:
    """Say what is under way, or why it ended and what to do."""
    if session.cause is Cause.FAILED and session.job_id is None:
        is_full = saying_of_full_disk(session.detail)
        return texts.say(_NO_ROOM if is_full else _NEVER_BEGAN)
    if session.cause is not None:
        return texts.say(_SENTENCES[session.cause])
    if session.stopping is not None:
        return texts.say(N_("It is being stopped."))
    return texts.say(_UNDER_WAY[session.phase])


def end_of(session: Session, texts: Texts) -> tuple[str, str]:
    """Return the end in words and Slurm's own word for it.

    What is no word of Slurm's is somebody's sentence, and shown as it is.
    """
    found = end_in_words(session.detail)
    if found is None:
        return session.detail, ""
    return texts.phrase(found), session.detail


def seen_of(session: Session, texts: Texts) -> tuple[tuple[str, int], ...]:
    """Return what the idle rule saw, each count with its name."""
    return tuple(
        (texts.say(SEEN.get(name, name)), count) for name, count in session.seen
    )


def _status(session: Session | None) -> Status:
    if session is None:
        return _NEVER
    if session.cause is not None:
        return _ENDED[session.cause]
    return _STOPPING if session.stopping is not None else _LIVE[session.phase]
