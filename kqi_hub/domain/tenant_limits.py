"""What Slurm allows a person in a tenant, and how much of it is taken."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from kqi_hub.domain.amounts import Amounts, of_job
from kqi_hub.domain.cluster import Association, Qos
from kqi_hub.domain.job import Job
from kqi_hub.domain.qos_limits import (
    QosBook,
    Tres,
    first_number,
    first_set,
    goes_beyond_queue,
)

_NOTHING: Final = Amounts()
# What Slurm calls the QOS that jobs get where nobody has said another.
_USUAL_QOS: Final = "normal"


class Scope(StrEnum):
    """Whose use counts against a limit."""

    JOB = "job"
    PERSON = "person"
    TENANT = "tenant"
    QOS = "qos"


@dataclass(frozen=True, slots=True)
class Limit:
    """So much of a resource, in Slurm's name for it; `used` by what runs now.

    `account` is the tenant or the account above it, for Scope.QOS the QOS.
    """

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
    """What a person may do in a tenant; `qos` is what their jobs get there.

    `beats_queue_time`: `max_time_s` counts, whatever the queue itself allows.
    """

    limits: tuple[Limit, ...] = ()
    max_time_s: int | None = None
    beats_queue_time: bool = False
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
_QosKey = tuple[str, Scope, str]


@dataclass(frozen=True)
class Accounts:
    """The tree of accounts with its limits, and what live jobs take of them."""

    people: Mapping[tuple[str, str], tuple[Association, ...]] = field(
        default_factory=dict
    )
    heads: Mapping[str, Association] = field(default_factory=dict)
    _of_person: Mapping[tuple[str, str], _Use] = field(default_factory=dict)
    _of_account: Mapping[str, _Use] = field(default_factory=dict)
    qos: QosBook = field(default_factory=QosBook)
    # By QOS alone, by QOS and person, by QOS and account.
    _of_qos: Mapping[_QosKey, _Use] = field(default_factory=dict)

    def lineage(self, account: str) -> tuple[str, ...]:
        """Return the account and those above it, the nearest first."""
        found: list[str] = []
        while account and account not in found:
            found.append(account)
            head = self.heads.get(account)
            account = head.parent if head else ""
        return tuple(found)

    def allowance(
        self, person: str, account: str, queue: str, qos: str = ""
    ) -> Allowance | None:
        """Return what the person may do, None if they may not submit there.

        `qos` is a job's own; without it, the one that jobs get where nothing is said.
        """
        own = self._association(person, account, queue)
        if own is None:
            return None
        above = [self.heads[a] for a in self.lineage(account) if a in self.heads]
        chain = [own, *above]
        usual = self.usual_qos(person, account, queue)
        order = self.qos.bounding(queue, qos or usual)
        use = self._of_person.get((account, person), _UNUSED)
        jobs, running = self._jobs(order, person, use.running)
        submit, submitted = self._submit(order, person, use.submitted)
        time = first_number(order, lambda one: one.max_time_s)
        of_chain = _least(one.max_time_s for one in chain)
        return Allowance(
            limits=tuple(self._limits(own, above, use, order)),
            max_time_s=of_chain if time is None else time[0],
            beats_queue_time=time is not None and goes_beyond_queue(order),
            max_jobs=_least(one.max_jobs for one in chain) if jobs is None else jobs,
            max_submit=_least(one.max_submit for one in chain)
            if submit is None
            else submit,
            running=running,
            submitted=submitted,
            qos=usual,
            other_qos=tuple(name for name in own.qos if name != usual),
        )

    def usual_qos(self, person: str, account: str, queue: str) -> str:
        """Return the QOS that jobs get where nothing is said; empty if not known."""
        own = self._association(person, account, queue)
        if own is None:
            return ""
        return own.default_qos or (_USUAL_QOS if _USUAL_QOS in own.qos else "")

    def _jobs(
        self, order: Sequence[Qos], person: str, otherwise: int
    ) -> tuple[int | None, int]:
        """Return how many jobs may run by a QOS, if one says so, and how many do."""
        found = first_number(order, lambda one: one.max_jobs_per_user)
        if found is None:
            return None, otherwise
        return found[0], self._qos_use(found[1], Scope.PERSON, person).running

    def _submit(
        self, order: Sequence[Qos], person: str, otherwise: int
    ) -> tuple[int | None, int]:
        found = first_number(order, lambda one: one.max_submit_per_user)
        if found is None:
            return None, otherwise
        return found[0], self._qos_use(found[1], Scope.PERSON, person).submitted

    def _qos_use(self, qos: str, scope: Scope, who: str = "") -> _Use:
        return self._of_qos.get((qos, scope, who), _UNUSED)

    def _association(self, person: str, account: str, queue: str) -> Association | None:
        found = self.people.get((account, person), ())
        # One for this queue alone outranks the one for all.
        by_queue = {one.partition: one for one in found}
        return by_queue.get(queue) or by_queue.get("")

    def _limits(
        self,
        own: Association,
        above: Sequence[Association],
        use: _Use,
        order: Sequence[Qos],
    ) -> Iterator[Limit]:
        for resource, most in _of_one_job(own, above, order).items():
            yield Limit(resource, Scope.JOB, most)
        yield from self._of_people(own, order)
        together = first_set(order, lambda one: one.grp_tres)
        for resource, (most, qos) in together.items():
            used = self._qos_use(qos, Scope.QOS).amounts.of(resource) or 0
            yield Limit(resource, Scope.QOS, most, used, qos)
        for resource, most in own.grp_tres:
            if resource not in together:
                used = use.amounts.of(resource) or 0
                yield Limit(resource, Scope.PERSON, most, used)
        for head in above:
            taken = self._of_account.get(head.account, _UNUSED).amounts
            for resource, most in head.grp_tres:
                if resource not in together:
                    used = taken.of(resource) or 0
                    yield Limit(resource, Scope.TENANT, most, used, head.account)

    def _of_people(self, own: Association, order: Sequence[Qos]) -> Iterator[Limit]:
        """Return what a QOS allows a person, and a tenant, of all its jobs."""
        per_user = first_set(order, lambda one: one.max_tres_per_user)
        for resource, (most, qos) in per_user.items():
            used = self._qos_use(qos, Scope.PERSON, own.user).amounts.of(resource) or 0
            yield Limit(resource, Scope.PERSON, most, used)
        per_account = first_set(order, lambda one: one.max_tres_per_account)
        for resource, (most, qos) in per_account.items():
            taken = self._qos_use(qos, Scope.TENANT, own.account).amounts
            used = taken.of(resource) or 0
            yield Limit(resource, Scope.TENANT, most, used, own.account)


def _of_one_job(
    own: Association, above: Iterable[Association], order: Sequence[Qos]
) -> Mapping[str, int]:
    found: dict[str, int] = {}
    for one in (own, *above):
        for resource, most in one.max_tres_per_job:
            found[resource] = min(most, found.get(resource, most))
    for resource, (most, _) in first_set(order, _per_job).items():
        found[resource] = most
    for resource, (most, _) in first_set(order, _per_node).items():
        found[resource] = min(most, found.get(resource, most))
    return found


def _per_job(qos: Qos) -> Tres:
    return qos.max_tres_per_job


def _per_node(qos: Qos) -> Tres:
    return qos.max_tres_per_node


def accounts_of(
    associations: Iterable[Association],
    jobs: Iterable[Job],
    qos: QosBook | None = None,
) -> Accounts:
    """Sort the associations, and add up what live jobs take, account by account."""
    book = qos or QosBook()
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
    of_qos: dict[_QosKey, _Use] = {}
    lineages: dict[str, tuple[str, ...]] = {}
    for job in jobs:
        _count_for_qos(of_qos, book, job)
        key = (job.account, job.user)
        of_person[key] = of_person.get(key, _UNUSED).and_job(job)
        if job.account not in lineages:
            lineages[job.account] = bare.lineage(job.account)
        for account in lineages[job.account]:
            of_account[account] = of_account.get(account, _UNUSED).and_job(job)
    return Accounts(bare.people, heads, of_person, of_account, book, of_qos)


def _count_for_qos(of_qos: dict[_QosKey, _Use], book: QosBook, job: Job) -> None:
    for name in book.counting(job.partition, job.qos):
        for key in (
            (name, Scope.QOS, ""),
            (name, Scope.PERSON, job.user),
            (name, Scope.TENANT, job.account),
        ):
            of_qos[key] = of_qos.get(key, _UNUSED).and_job(job)


def _least(found: Iterable[int | None]) -> int | None:
    return min((one for one in found if one is not None), default=None)
