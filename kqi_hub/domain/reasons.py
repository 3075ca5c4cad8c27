"""Why a job waits, in words that a person can act on.

The reasons are those of Slurm 22.05 to 25.11 (src/common/job_state_reason.c). Limits
have some two hundred names, made of whose limit it is and what it limits: they are put
into words by these parts. A reason that is new to us is shown as Slurm says it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from kqi_hub.domain.amounts import Amounts, of_job
from kqi_hub.domain.job import Job
from kqi_hub.domain.phrase import Phrase
from kqi_hub.domain.queues import Scene, smallest_fit

_LONGEST_SHOWN: Final = 200


class Kind(StrEnum):
    """What a job waits for."""

    TURN = "turn"
    LIMIT = "limit"
    HELD = "held"
    TIME = "time"
    OTHERS = "others"
    SITE = "site"
    NEVER = "never"
    STARTING = "starting"
    ODD = "odd"


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


@dataclass(frozen=True, slots=True)
class Reason:
    """The words for one of Slurm's reasons."""

    kind: Kind
    text: Phrase
    hint: Phrase | None = None
    can_act: bool = False


_WAIT: Final = Phrase("Nothing is wrong: it starts by itself.")
_ASK: Final = Phrase("Ask the operators.")
_LESS: Final = Phrase("Cancel it, and submit it again asking for less.")
_RELEASE: Final = Phrase("Release it to let it start, or cancel it.")

_TURN = Reason(
    Kind.TURN, Phrase("Its queue is full: it is next when something is free."), _WAIT
)
_FAILED_START = Reason(
    Kind.HELD,
    Phrase("Its start failed, and Slurm holds it now."),
    Phrase("Read its log; release it to try again, or cancel it."),
    True,
)
_ENTRIES: Final[Mapping[str, Reason]] = {
    "": Reason(Kind.TURN, Phrase("Slurm has not looked at it yet."), _WAIT),
    "Resources": _TURN,
    "Priority": Reason(
        Kind.TURN,
        Phrase("Other jobs are before it in the queue."),
        Phrase("It moves up by itself. A smaller or shorter job may start earlier."),
        True,
    ),
    "SchedDefer": Reason(
        Kind.TURN, Phrase("Slurm is to start it in its next round."), _WAIT
    ),
    "Prolog": Reason(
        Kind.STARTING, Phrase("Its node is being made ready for it."), _WAIT
    ),
    "Cleaning": Reason(
        Kind.STARTING,
        Phrase("It was put back into the queue, and its last run is tidied up."),
        _WAIT,
    ),
    "FedJobLock": Reason(
        Kind.STARTING, Phrase("The clusters agree which of them runs it."), _WAIT
    ),
    "Dependency": Reason(
        Kind.OTHERS,
        Phrase("It waits for another job to end."),
        Phrase("It starts by itself afterwards."),
    ),
    "DependencyNeverSatisfied": Reason(
        Kind.NEVER,
        Phrase("The job that it waits for did not end as it was to, or is gone."),
        Phrase("It will never start. Cancel it, and submit it again."),
        True,
    ),
    "BeginTime": Reason(
        Kind.TIME,
        Phrase("It is not to start before its begin time."),
        Phrase("A job that was put back into the queue waits some minutes, too."),
    ),
    "DeadLine": Reason(
        Kind.NEVER,
        Phrase("It cannot be over before its deadline any more."),
        Phrase("Cancel it, and submit it again with a later deadline."),
        True,
    ),
    "JobHeldUser": Reason(
        Kind.HELD, Phrase("You hold it, or submitted it held."), _RELEASE, True
    ),
    "JobHeldAdmin": Reason(
        Kind.HELD,
        Phrase("The operators hold it, or Slurm does after it failed to start."),
        _ASK,
    ),
    "JobHoldMaxRequeue": Reason(
        Kind.HELD,
        Phrase("It was started too often without success, and Slurm holds it now."),
        Phrase("Find out why it fails; then release it, or cancel it."),
        True,
    ),
    "JobArrayTaskLimit": Reason(
        Kind.LIMIT,
        Phrase("As many tasks of its array run as you allowed at the same time."),
        Phrase("It starts when one of them ends; the limit is yours to raise."),
        True,
    ),
    "ReqNodeNotAvail": Reason(
        Kind.SITE,
        Phrase("A node that it needs is down, reserved, or set aside."),
        Phrase("Wait, or submit it without naming the node."),
        True,
    ),
    "NodeDown": Reason(Kind.SITE, Phrase("A node that it needs is down."), _ASK),
    "FrontEndDown": Reason(
        Kind.SITE, Phrase("The machine that would start it is down."), _ASK
    ),
    "PartitionDown": Reason(
        Kind.SITE,
        Phrase("Its queue is closed: nothing starts there now."),
        Phrase("Wait until operators open it, or choose another queue."),
        True,
    ),
    "PartitionInactive": Reason(
        Kind.SITE,
        Phrase("Its queue is switched off: nothing starts there now."),
        Phrase("Choose another queue, or ask the operators."),
        True,
    ),
    "PartitionTimeLimit": Reason(
        Kind.NEVER,
        Phrase("It asks for more time than its queue allows."),
        Phrase("It will never start so. Cancel it, and ask for less time."),
        True,
    ),
    "PartitionNodeLimit": Reason(
        Kind.NEVER,
        Phrase("It asks for more nodes than its queue allows, or than are in service."),
        _LESS,
        True,
    ),
    "PartitionConfig": Reason(
        Kind.NEVER,
        Phrase("It asks for something that its queue is not set up for."),
        _LESS,
        True,
    ),
    "MaxMemPerLimit": Reason(
        Kind.NEVER,
        Phrase("It asks for more memory than its queue gives one CPU or node."),
        _LESS,
        True,
    ),
    "BadConstraints": Reason(
        Kind.NEVER,
        Phrase("No node is as it asks for."),
        Phrase("It will never start so. Cancel it, and ask for something else."),
        True,
    ),
    "Constraints": Reason(
        Kind.NEVER,
        Phrase("No node is as it asks for."),
        Phrase("It will never start so. Cancel it, and ask for something else."),
        True,
    ),
    "AccountNotAllowed": Reason(
        Kind.NEVER,
        Phrase("Its tenant may not use its queue."),
        Phrase("Cancel it, and choose another queue or tenant."),
        True,
    ),
    "QOSNotAllowed": Reason(
        Kind.NEVER,
        Phrase("Its QOS may not be used in its queue."),
        Phrase("Cancel it, and choose another queue or QOS."),
        True,
    ),
    "InvalidAccount": Reason(
        Kind.NEVER,
        Phrase("Its tenant is not known any more, or you have left it."),
        Phrase("Cancel it, and submit it in another tenant."),
        True,
    ),
    "InvalidQOS": Reason(
        Kind.NEVER,
        Phrase("You may not use its QOS any more."),
        Phrase("Cancel it, and submit it with another QOS."),
        True,
    ),
    "Licenses": Reason(
        Kind.TURN, Phrase("All licences that it needs are in use."), _WAIT
    ),
    "Reservation": Reason(
        Kind.TIME,
        Phrase("It waits for its reservation to begin."),
        Phrase("It starts by itself then."),
    ),
    "ReservationDeleted": Reason(
        Kind.NEVER,
        Phrase("Its reservation was deleted."),
        Phrase("Cancel it, and submit it without the reservation."),
        True,
    ),
    "ReservationInvalid": Reason(
        Kind.NEVER,
        Phrase("Its reservation cannot be used."),
        Phrase("Cancel it, and submit it without the reservation."),
        True,
    ),
    "BurstBufferResources": Reason(
        Kind.TURN, Phrase("The burst buffer has no room for it now."), _WAIT
    ),
    "BurstBufferStageIn": Reason(
        Kind.STARTING, Phrase("Its data is copied into the burst buffer."), _WAIT
    ),
    "BurstBufferOperation": Reason(
        Kind.HELD, Phrase("Its data could not be put into the burst buffer."), _ASK
    ),
    "PowerNotAvail": Reason(
        Kind.TURN, Phrase("There is not enough electric power for it now."), _WAIT
    ),
    "PowerReserved": Reason(
        Kind.TURN, Phrase("The power that it needs is reserved for others."), _WAIT
    ),
    "QOSUsageThreshold": Reason(
        Kind.LIMIT,
        Phrase("Your tenant has used so much lately that others go first."),
        Phrase("It starts when that use has become older."),
    ),
    "AccountingPolicy": Reason(
        Kind.LIMIT, Phrase("A limit on your tenant or on you keeps it waiting."), _ASK
    ),
    "JobLaunchFailure": _FAILED_START,
    "SystemFailure": _FAILED_START,
    # What ended the run before, of a job that waits again.
    "NonZeroExitCode": _FAILED_START,
    "RaisedSignal": _FAILED_START,
    "OutOfMemory": _FAILED_START,
    "TimeLimit": _FAILED_START,
    "InactiveLimit": _FAILED_START,
    # Of machines that Slurm no longer supports; 22.05 still has the words.
    "BlockMaxError": Reason(Kind.SITE, Phrase("Too many parts have failed."), _ASK),
    "BlockFreeAction": Reason(
        Kind.STARTING, Phrase("Another job frees what it needs."), _WAIT
    ),
}

# What squeue says in whole sentences in place of a reason, by how it begins.
_SENTENCES: Final[tuple[tuple[str, Reason], ...]] = (
    (
        "nodes required for job are down",
        Reason(
            Kind.SITE,
            Phrase("Nodes that it needs are out of service, or kept for other jobs."),
            _WAIT,
        ),
    ),
    ("launch failed requeued held", _FAILED_START),
    ("user env retrieval failed", _FAILED_START),
    (
        "job requeued in held state",
        Reason(
            Kind.HELD,
            Phrase("It was put back into the queue, and is held there."),
            _RELEASE,
            True,
        ),
    ),
    ("reqnodenotavail", _ENTRIES["ReqNodeNotAvail"]),
    ("job's qos not permitted", _ENTRIES["QOSNotAllowed"]),
    ("job's account not permitted", _ENTRIES["AccountNotAllowed"]),
)

# AssocGrpGRESRunMinutes: whose, how, what, and over which time.
_LIMIT: Final = re.compile(
    r"(?P<whose>Assoc|QOS|Association)?(?P<how>Grp|Max|Min)?"
    r"(?P<what>Cpu|CPU|Mem|Memory|Node|GRES|Jobs?|SubmitJobs?|Submit|WallDuration|Wall"
    r"|Energy|License|BB|Billing|Unknown|Resource|Time)"
    r"(?P<span>RunMinutes|Minutes)?(?P<per>Per(?:Job|Node|User|Account))?"
    r"(?P<not>NotSatisfied)?(?P<limit>Limit)?"
)
_RESOURCES: Final[Mapping[str, Phrase]] = {
    "cpu": Phrase("CPUs"),
    "mem": Phrase("memory"),
    "memory": Phrase("memory"),
    "node": Phrase("nodes"),
    "gres": Phrase("GPUs"),
    "job": Phrase("running jobs"),
    "jobs": Phrase("running jobs"),
    "submit": Phrase("jobs, running and waiting"),
    "submitjob": Phrase("jobs, running and waiting"),
    "submitjobs": Phrase("jobs, running and waiting"),
    "wall": Phrase("running time"),
    "wallduration": Phrase("running time"),
    "time": Phrase("running time"),
    "energy": Phrase("energy"),
    "license": Phrase("licences"),
    "bb": Phrase("burst buffer"),
    "billing": Phrase("billing units"),
}
_SOME: Final = Phrase("some resource")


_BEYOND: Final = Reason(
    Kind.NEVER,
    Phrase("It takes more than a limit of your tenant allows at all."),
    Phrase("It will never start so. Cancel it, and ask for less or another queue."),
    True,
)


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
    known = _ENTRIES.get("" if bare == "None" else bare)
    if known is not None:
        return known
    lowered = bare.lower().replace("_", " ").removeprefix("(")
    for begin, entry in _SENTENCES:
        if lowered.startswith(begin):
            return entry
    found = _LIMIT.fullmatch(bare)
    if found is not None and (found["how"] or found["whose"] or found["per"]):
        return _limit(found)
    return Reason(
        Kind.ODD,
        Phrase("Slurm says: {reason}.", reason=_shown(bare)),
        Phrase("The portal does not know this reason; the operators may."),
    )


def _limit(found: re.Match[str]) -> Reason:
    what = _RESOURCES.get(found["what"].lower(), _SOME)
    for applies, make in _LIMITS:
        if applies(found):
            return make(what)
    return _used_up(what)


def _used_up(what: Phrase) -> Reason:
    return Reason(
        Kind.LIMIT,
        Phrase("All that your tenant may use at once of this is in use: {what}.",
               what=what),
        Phrase("It starts when jobs of the tenant end."),
    )  # fmt: skip


def _budget(what: Phrase) -> Reason:
    return Reason(
        Kind.LIMIT,
        Phrase("Your tenant's budget is used up, or would be: {what} over time.",
               what=what),
        Phrase("Ask a manager of the tenant, or the operators, for more."),
    )  # fmt: skip


def _qos_budget(what: Phrase) -> Reason:
    return Reason(
        Kind.LIMIT,
        Phrase("The budget of its QOS is used up, or would be: {what} over time.",
               what=what),
        Phrase("Ask the operators for more, or choose another queue or QOS."),
        True,
    )  # fmt: skip


def _running_budget(what: Phrase) -> Reason:
    return Reason(
        Kind.LIMIT,
        Phrase("What runs now could use up what your tenant may: {what} over time.",
               what=what),
        Phrase("It starts when jobs end. A shorter time limit helps."),
        True,
    )  # fmt: skip


def _per_job(what: Phrase) -> Reason:
    return Reason(
        Kind.NEVER,
        Phrase("It asks for more than one job may have: {what}.", what=what),
        _LESS,
        True,
    )


def _too_little(what: Phrase) -> Reason:
    return Reason(
        Kind.NEVER,
        Phrase("It asks for less than its QOS wants at least: {what}.", what=what),
        Phrase("Cancel it, and ask for more or choose another queue."),
        True,
    )


def _per_person(what: Phrase) -> Reason:
    return Reason(
        Kind.LIMIT,
        Phrase("You use as much at once as one person may: {what}.", what=what),
        Phrase("It starts when one of your jobs ends; you may stop one."),
        True,
    )


def _of_qos(what: Phrase) -> Reason:
    return Reason(
        Kind.LIMIT,
        Phrase(
            "All that everybody together may use of this is in use: {what}.", what=what
        ),
        Phrase("It starts when somebody's job ends. Another queue may be free."),
        True,
    )


_Applies = Callable[[re.Match[str]], bool]
# The first that applies counts.
_LIMITS: Final[tuple[tuple[_Applies, Callable[[Phrase], Reason]], ...]] = (
    (lambda m: m["how"] == "Min", _too_little),
    (lambda m: m["per"] in {"PerJob", "PerNode"}, _per_job),
    (lambda m: m["how"] == "Max" and m["span"] is not None, _per_job),
    (lambda m: m["whose"] == "QOS" and m["span"] is not None, _qos_budget),
    (lambda m: m["span"] == "RunMinutes", _running_budget),
    (lambda m: m["span"] == "Minutes", _budget),
    (lambda m: m["how"] == "Grp" and m["what"] == "Wall", _budget),
    (lambda m: m["per"] == "PerUser", _per_person),
    (lambda m: m["per"] == "PerAccount", _used_up),
    (lambda m: m["whose"] == "Assoc" and m["how"] == "Max", _per_person),
    (lambda m: m["whose"] == "Association" and m["what"] == "Job", _per_person),
    (lambda m: m["whose"] in {"Association", "QOS"} and m["what"] == "Time", _per_job),
    (lambda m: m["whose"] == "QOS", _of_qos),
)


def _is_beyond(job: Job, scene: Scene) -> bool:
    """Tell whether the job alone takes more than a limit that it is held to."""
    queue = job.partition.split(",")[0]
    supply = scene.supplies.get(queue)
    allowance = scene.accounts.allowance(job.user, job.account, queue)
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
