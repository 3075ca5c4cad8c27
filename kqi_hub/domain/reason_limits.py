"""Limits as reasons to wait, put into words by whose they are and what they limit.

Slurm 22.05 to 25.11 have some two hundred names for them, all made of these parts.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from kqi_hub.domain.phrase import Phrase
from kqi_hub.domain.reason import LESS, Kind, Reason

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


def limit_reason(reason: str) -> Reason | None:
    """Return the words for a limit; None if the reason names none."""
    found = _LIMIT.fullmatch(reason)
    if found is None or not (found["how"] or found["whose"] or found["per"]):
        return None
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
        LESS,
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
