"""What a run's state is called, and what it means for whoever looks at it."""

from collections.abc import Mapping
from typing import Final

from handlers.pages.notebooks.words import Status
from kqi_hub.domain.runs import Run, RunState
from kqi_hub.i18n import N_, Texts
from kqi_hub.services.run_views import STATE_WORDS

# Beside the word: the kind and the sign, as parts/status.html takes them.
_MARKS: Final[Mapping[str, tuple[str, str]]] = {
    RunState.OPENED: ("busy", "upload"),
    RunState.PREPARED: ("idle", "file-earmark-text"),
    RunState.ASKED: ("wait", "send"),
    RunState.PENDING: ("wait", ""),
    RunState.RUNNING: ("busy", ""),
    RunState.COLLECTING: ("busy", "box-seam"),
    RunState.COMPLETED: ("good", ""),
    RunState.FAILED: ("bad", ""),
    RunState.TIMED_OUT: ("bad", "clock-history"),
    RunState.OUT_OF_MEMORY: ("bad", "memory"),
    RunState.KILLED: ("bad", "stop-circle"),
    RunState.USER_CANCELED: ("idle", "stop-circle"),
    RunState.NODE_FAILED: ("bad", "plug"),
    RunState.REFUSED: ("bad", "ban"),
    RunState.UNKNOWN: ("odd", ""),
    "stopping": ("wait", "stop-circle"),
    "deleting": ("wait", "trash"),
}
_SENTENCES: Final[Mapping[RunState, str]] = {
    RunState.OPENED: N_(
        "It was done elsewhere, and its results are being uploaded from there."
    ),
    RunState.PREPARED: N_(
        "Its script is ready and nothing is submitted. Submit the script yourself with "
        "sbatch; the portal recognises the job by its name and follows it here."
    ),
    RunState.ASKED: N_("It is being handed to Slurm."),
    RunState.PENDING: N_("It waits in the queue for its turn."),
    RunState.RUNNING: N_("It runs."),
    RunState.COLLECTING: N_("Its job has ended; what it has left is being taken over."),
    RunState.COMPLETED: N_("It has ended well. What it has made is in its folder."),
    RunState.FAILED: N_(
        "It ended with an error. The end of its log usually says why; then copy the "
        "run, change what is wrong, and start it again."
    ),
    RunState.TIMED_OUT: N_(
        "Its time was over before it had ended. What it had written by then is in its "
        "folder; copy the run and give it more hours."
    ),
    RunState.OUT_OF_MEMORY: N_(
        "It used more memory than it had asked for, and Slurm ended it. Copy the run "
        "and give it more memory."
    ),
    RunState.KILLED: N_(
        "It was stopped as failed, or its job was cancelled outside the portal."
    ),
    RunState.USER_CANCELED: N_(
        "It was stopped on purpose. What it had written by then is in its folder."
    ),
    RunState.NODE_FAILED: N_(
        "The node that it ran on failed. That is not your fault: copy the run and "
        "start it again."
    ),
    RunState.REFUSED: N_("Slurm did not take it. Slurm's own words are below."),
    RunState.UNKNOWN: N_(
        "Neither Slurm nor its accounting knows this job any more. What it has left "
        "is in its folder."
    ),
}


def status_of(status: str, texts: Texts) -> Status:
    """Return a state, `stopping` or `deleting` in the reader's language."""
    kind, sign = _MARKS[status]
    return Status(kind, texts.say(STATE_WORDS[status]), sign)


def state_words(texts: Texts) -> tuple[tuple[str, str], ...]:
    """Return every state of a run with a job, in the order of its life, in words."""
    states = [one for one in RunState if one is not RunState.OPENED]
    return tuple((one.value, texts.say(STATE_WORDS[one])) for one in states)


def sentence_of(run: Run, texts: Texts) -> str:
    """Say what is under way, or how it ended and what to do."""
    if run.going_at is not None:
        return texts.say(
            N_(
                "It is being deleted: its job is ended first. If Slurm does not answer "
                "now, that happens as soon as it does."
            )
        )
    if run.is_live and run.stopping is not None:
        return texts.say(N_("It is being stopped."))
    if run.spec.is_outside and run.state is RunState.COMPLETED:
        return texts.say(N_("It was done elsewhere. Its results were uploaded."))
    return texts.say(_SENTENCES[run.state])
