"""Why a job waits, in words that a person can act on.

A reason that is new to us is shown as Slurm says it.
"""

from dataclasses import dataclass
from typing import Final

from kqi_hub.domain.amounts import Amounts, of_job
from kqi_hub.domain.job import Job
from kqi_hub.domain.phrase import Phrase
from kqi_hub.domain.queues import Scene, smallest_fit
from kqi_hub.domain.reason import Kind, Reason
from kqi_hub.domain.reason_limits import limit_reason
from kqi_hub.domain.reason_words import ENTRIES, SENTENCES

_LONGEST_SHOWN: Final = 200

_BEYOND: Final = Reason(
    Kind.NEVER,
    Phrase("It takes more than a limit of your tenant allows at all."),
    Phrase("It will never start so. Cancel it, and ask for less or another queue."),
    True,
)


@dataclass(frozen=True, slots=True)
class Explained:
    """Why a job waits: what is the case, what to do about it, and when it may start.

    `can_act` says whether the person can do something; `starts_at` is what Slurm
    expects, None when it expects nothing.
    """

    reason: str
    kind: Kind
    text: Phrase
    hint: Phrase | None = None
    can_act: bool = False
    starts_at: int | None = None


def explain(job: Job, scene: Scene | None = None) -> Explained | None:
    """Return why a job waits; None for one that does not.

    With the scene, a limit that the job can never keep is told from one that is only
    used up now: Slurm says the same of both.
    """
    if not job.is_waiting:
        return None
    entry = explain_reason(job.reason)
    if entry.kind is Kind.LIMIT and scene is not None and _is_beyond(job, scene):
        entry = _BEYOND
    return Explained(
        reason=_shown(job.reason),
        kind=entry.kind,
        text=_with_dependency(job, entry.text),
        hint=entry.hint,
        can_act=entry.can_act,
        starts_at=job.starts_at,
    )


def explain_reason(reason: str) -> Reason:
    """Return the words for a reason of Slurm's, whatever it is."""
    bare = reason.strip()
    known = ENTRIES.get("" if bare == "None" else bare)
    if known is not None:
        return known
    lowered = bare.lower().replace("_", " ").removeprefix("(")
    for begin, entry in SENTENCES:
        if lowered.startswith(begin):
            return entry
    limit = limit_reason(bare)
    if limit is not None:
        return limit
    return Reason(
        Kind.ODD,
        Phrase("Slurm says: {reason}.", reason=_shown(bare)),
        Phrase("The portal does not know this reason; the operators may."),
    )


def _is_beyond(job: Job, scene: Scene) -> bool:
    """Tell whether the job alone takes more than a limit that it is held to."""
    queue = job.partition.split(",")[0]
    supply = scene.supplies.get(queue)
    allowance = scene.accounts.allowance(job.user, job.account, queue, job.qos)
    if supply is None or allowance is None:
        return False
    takes = of_job(job)
    if supply.partition.exclusive and job.nodes <= 1:
        node = smallest_fit(supply, takes)
        if node is not None:
            takes = Amounts(node.cpus, takes.memory_mb, node.gpus, 1)
    return any((takes.of(x.resource) or 0) > x.most for x in allowance.limits)


def _with_dependency(job: Job, text: Phrase) -> Phrase:
    if job.reason != "Dependency" or not job.dependency:
        return text
    return Phrase(
        "It waits for another job to end: {dependency}.",
        dependency=_shown(job.dependency),
    )


def _shown(text: str) -> str:
    """Return somebody else's words short and in one line."""
    cut = text[:_LONGEST_SHOWN]
    return "".join(c if c.isprintable() else "?" for c in cut)
