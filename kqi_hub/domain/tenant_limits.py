"""What Slurm's associations allow a person in a tenant, and how much of it is taken."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from kqi_hub.domain.amounts import Amounts, of_job
from kqi_hub.domain.cluster import Association
from kqi_hub.domain.job import Job

_NOTHING: Final = Amounts()
# What Slurm calls the QOS that jobs get where nobody has said another.
_USUAL_QOS: Final = "normal"


class Scope(StrEnum):
    """Whose use counts against a limit."""

    JOB = "job"
    PERSON = "person"
    TENANT = "tenant"


@dataclass(frozen=True, slots=True)
class Limit:
    """So much of a resource, in Slurm's name for it; `used` by what runs now."""

    resource: str
    scope: Scope
    most: int
    used: int = 0
    account: str = ""

    @property
    def left(self) -> int:
        """Return what is not taken yet."""
        return max(0, self.most - self.used)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a person may do in a tenant; `qos` is what their jobs get there."""

    limits: tuple[Limit, ...] = ()
    max_time_s: int | None = None
    max_jobs: int | None = None
    max_submit: int | None = None
    running: int = 0
    submitted: int = 0
    qos: str = ""
    other_qos: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Use:
    amounts: Amounts = _NOTHING
    running: int = 0
    submitted: int = 0

    def and_job(self, job: Job) -> "_Use":
        takes = _NOTHING if job.is_waiting else of_job(job)
        return _Use(
            self.amounts.plus(takes),
            self.running + (not job.is_waiting),
            self.submitted + 1,
        )


_UNUSED: Final = _Use()


@dataclass(frozen=True)
class Accounts:
    """The tree of accounts with its limits, and what live jobs take of them."""

    people: Mapping[tuple[str, str], tuple[Association, ...]] = field(
        default_factory=dict
    )
    heads: Mapping[str, Association] = field(default_factory=dict)
    _of_person: Mapping[tuple[str, str], _Use] = field(default_factory=dict)
    _of_account: Mapping[str, _Use] = field(default_factory=dict)

    def lineage(self, account: str) -> tuple[str, ...]:
        """Return the account and those above it, the nearest first."""
        found: list[str] = []
        while account and account not in found:
            found.append(account)
            head = self.heads.get(account)
            account = head.parent if head else ""
        return tuple(found)

    def allowance(self, person: str, account: str, queue: str) -> Allowance | None:
        """Return what the person may do, None if they may not submit there."""
        own = self._association(person, account, queue)
        if own is None:
            return None
        above = [self.heads[a] for a in self.lineage(account) if a in self.heads]
        chain = [own, *above]
        use = self._of_person.get((account, person), _UNUSED)
        qos = own.default_qos or (_USUAL_QOS if _USUAL_QOS in own.qos else "")
        return Allowance(
            limits=tuple(self._limits(own, above, use)),
            max_time_s=_least(one.max_time_s for one in chain),
            max_jobs=_least(one.max_jobs for one in chain),
            max_submit=_least(one.max_submit for one in chain),
            running=use.running,
            submitted=use.submitted,
            qos=qos,
            other_qos=tuple(name for name in own.qos if name != qos),
        )

    def _association(self, person: str, account: str, queue: str) -> Association | None:
        found = self.people.get((account, person), ())
        # One for this queue alone outranks the one for all.
        by_queue = {one.partition: one for one in found}
        return by_queue.get(queue) or by_queue.get("")

    def _limits(
        self, own: Association, above: Iterable[Association], use: _Use
    ) -> Iterator[Limit]:
        per_job: dict[str, int] = {}
        for one in (own, *above):
            for resource, most in one.max_tres_per_job:
                per_job[resource] = min(most, per_job.get(resource, most))
        for resource, most in per_job.items():
            yield Limit(resource, Scope.JOB, most)
        for resource, most in own.grp_tres:
            used = use.amounts.of(resource) or 0
            yield Limit(resource, Scope.PERSON, most, used)
        for head in above:
            taken = self._of_account.get(head.account, _UNUSED).amounts
            for resource, most in head.grp_tres:
                used = taken.of(resource) or 0
                yield Limit(resource, Scope.TENANT, most, used, head.account)


def accounts_of(associations: Iterable[Association], jobs: Iterable[Job]) -> Accounts:
    """Sort the associations, and add up what live jobs take, account by account."""
    people: dict[tuple[str, str], list[Association]] = defaultdict(list)
    heads: dict[str, Association] = {}
    for one in associations:
        if one.user:
            people[one.account, one.user].append(one)
        else:
            heads[one.account] = one
    bare = Accounts({who: tuple(found) for who, found in people.items()}, heads)
    of_person: dict[tuple[str, str], _Use] = {}
    of_account: dict[str, _Use] = {}
    lineages: dict[str, tuple[str, ...]] = {}
    for job in jobs:
        key = (job.account, job.user)
        of_person[key] = of_person.get(key, _UNUSED).and_job(job)
        if job.account not in lineages:
            lineages[job.account] = bare.lineage(job.account)
        for account in lineages[job.account]:
            of_account[account] = of_account.get(account, _UNUSED).and_job(job)
    return Accounts(bare.people, heads, of_person, of_account)


def _least(found: Iterable[int | None]) -> int | None:
    return min((one for one in found if one is not None), default=None)
