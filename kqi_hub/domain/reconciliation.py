"""Our use of the cluster beside Slurm's own, and why they differ where they do."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple, Protocol

from kqi_hub.domain.charges import charges
from kqi_hub.domain.job_records import JobRecord, RecordKey
from kqi_hub.domain.rate_cards import Tariff
from kqi_hub.domain.site_days import Day, SiteDays

# Of each cause so many jobs are named; their sums count all of them.
MOST_NAMED: Final = 50
# A job that the controller does not know may have ended a moment ago.
RUNAWAY_S: Final = 600
_LIVE_STATES: Final = frozenset(
    {"RUNNING", "SUSPENDED", "PENDING", "COMPLETING", "CONFIGURING", "RESIZING"}
)
_NO_RATES: Final = Tariff()


class Use(NamedTuple):
    """Seconds of a run, of its CPUs, GPUs and nodes; memory in MB times seconds."""

    seconds: int = 0
    cpu_s: int = 0
    memory_mb_s: int = 0
    gpu_s: int = 0
    node_s: int = 0

    def plus(self, other: "Use", sign: int = 1) -> "Use":
        """Return both together, or with -1 the difference."""
        return Use(*(a + sign * b for a, b in zip(self, other, strict=True)))

    @property
    def is_nothing(self) -> bool:
        """Tell whether no second is in it, neither too many nor too few."""
        return not any(self)


NOTHING: Final = Use()


class SlurmUse(NamedTuple):
    """What accounting says of a run within some time (sacct -X -D -T)."""

    key: RecordKey
    account: str
    state: str
    began: int
    use: Use


class Cause(StrEnum):
    """Why ours and Slurm's differ."""

    # It has not ended: its use is posted at its end.
    RUNNING = "running"
    # It ended after accounting was read last, or came late: the next reading has it.
    LATE = "late"
    # Accounting says otherwise today than when it was read.
    CHANGED = "changed"
    # It was suspended: on which day cannot be told of it.
    SUSPENDED = "suspended"
    # Accounting has it and we do not, though it should have been read.
    MISSING = "missing"
    # We have it, and accounting has it no more: purged, archived.
    GONE = "gone"
    # Accounting says that it runs, and the controller does not know it.
    RUNAWAY = "runaway"
    # Records and book differ: `kqi-hub ledger verify` tells more.
    UNPOSTED = "unposted"


# What needs nobody's hand.
HARMLESS: Final = frozenset({Cause.RUNNING, Cause.LATE})


class Difference(NamedTuple):
    """One run on one day that differs: ours less Slurm's."""

    cause: Cause
    account: str
    job_id: int
    submitted_at: int
    day: Day
    use: Use


@dataclass(frozen=True, slots=True)
class AccountUse:
    """An account's use: in the book, by accounting's rows, by its roll-up.

    `rolled_up` is None where the roll-up was not asked, or tells nothing.
    """

    account: str
    ours: Use = NOTHING
    slurm: Use = NOTHING
    rolled_up: Use | None = None

    @property
    def difference(self) -> Use:
        """Return ours less accounting's rows."""
        return self.ours.plus(self.slurm, -1)


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What a comparison found, from a moment to another."""

    since: int
    until: int
    at: float
    accounts: tuple[AccountUse, ...] = ()
    causes: Mapping[Cause, Use] = field(default_factory=dict)
    counts: Mapping[Cause, int] = field(default_factory=dict)
    named: tuple[Difference, ...] = ()
    # What is left when every cause is taken off: always nothing, or it is our fault.
    unexplained: Use = NOTHING
    trouble: str = ""

    @property
    def troubles(self) -> tuple[Cause, ...]:
        """Return the causes that an operator should look at."""
        return tuple(one for one in Cause if one in self.counts and one not in HARMLESS)


class UseReader(Protocol):
    """Accounting asked a second time, by another way than it is taken in."""

    async def use(self, since: int, until: int) -> Sequence[SlurmUse]:
        """Return what each run used in between, and nothing outside of it."""

    async def rolled_up(self, since: int, until: int) -> Mapping[str, Use] | None:
        """Return sreport's sums by account; None where it tells nothing.

        Both are full hours. `seconds` are not told, and are 0.
        """


class RecordedUse(Protocol):
    """What we have of use. Every method blocks."""

    def records(self, since: int, until: int) -> Sequence[JobRecord]:
        """Return the runs that existed at some time in between."""

    def booked(self, day: Day) -> Mapping[str, Use]:
        """Return what the book has for a local day, by tenant."""

    def read_until(self) -> int:
        """Return until when accounting has been read."""

    def filled_back_to(self) -> int | None:
        """Return from when on the history is whole; None as long as none is."""

    def live(self) -> frozenset[int]:
        """Return the numbers of the jobs that the controller knows."""

    def keep(self, found: Reconciliation) -> None:
        """Keep what a comparison found, for operators and the doctor."""

    def kept(self) -> Reconciliation | None:
        """Return what the last comparison found; `named` and `accounts` too."""


class Known(NamedTuple):
    """What judging a difference needs to know."""

    read_until: int
    live: frozenset[int]
    now: float


def to_json(found: Reconciliation) -> dict[str, object]:
    """Return it as data for programs."""
    return {
        "since": found.since,
        "until": found.until,
        "at": found.at,
        "accounts": [
            {
                "account": one.account,
                "ours": one.ours._asdict(),
                "slurm": one.slurm._asdict(),
                "rolled_up": one.rolled_up and one.rolled_up._asdict(),
            }
            for one in found.accounts
        ],
        "causes": [
            {"cause": cause, "count": found.counts[cause], "use": use._asdict()}
            for cause, use in found.causes.items()
        ],
        "named": [one._asdict() | {"use": one.use._asdict()} for one in found.named],
        "unexplained": found.unexplained._asdict(),
    }


def our_use(
    records: Iterable[JobRecord], days: SiteDays, since: int, until: int
) -> dict[RecordKey, tuple[JobRecord, Use]]:
    """Return what ended runs used in between, by the arithmetic of the book itself."""
    found: dict[RecordKey, tuple[JobRecord, Use]] = {}
    day = days.day_of(since)
    for record in records:
        use = Use()
        over = record.ended_at
        if over is not None:
            # The day goes on after `until`: what follows is not compared.
            cut = record if over <= until else record._replace(ended_at=until)
            for one in charges(cut, _NO_RATES, days):
                if one.day == day:
                    parts = (one.cpu_s, one.memory_mb_s, one.gpu_s, one.node_s)
                    use = use.plus(Use(one.seconds, *parts))
        found[record.key] = (record, use)
    return found


def compare_day(
    ours: Mapping[RecordKey, tuple[JobRecord, Use]],
    slurm: Iterable[SlurmUse],
    day: Day,
    known: Known,
) -> list[Difference]:
    """Return every run of a day that differs, with its cause."""
    theirs = {one.key: one for one in slurm}
    found = []
    for key in {*ours, *theirs}:
        record, use = ours.get(key, (None, Use()))
        row = theirs.get(key)
        differs = use.plus(row.use if row else Use(), -1)
        if not differs.is_nothing:
            account = row.account if row else (record.account if record else "")
            cause = _cause(record, row, differs, known)
            found.append(Difference(cause, account, *key, day, differs))
    return sorted(found, key=lambda one: (one.cause, one.job_id, one.submitted_at))


def unposted(
    ours: Mapping[RecordKey, tuple[JobRecord, Use]],
    booked: Mapping[str, Use],
    day: Day,
) -> list[Difference]:
    """Return accounts whose records and book differ on a whole day."""
    sums: dict[str, Use] = defaultdict(Use)
    for record, use in ours.values():
        sums[record.account] = sums[record.account].plus(use)
    found = []
    for account in sorted({*sums, *booked}):
        differs = booked.get(account, Use()).plus(sums.get(account, Use()), -1)
        if not differs.is_nothing:
            found.append(Difference(Cause.UNPOSTED, account, 0, 0, day, differs))
    return found


def _cause(
    record: JobRecord | None, row: SlurmUse | None, differs: Use, known: Known
) -> Cause:
    if row is None:
        return Cause.GONE
    if row.state in _LIVE_STATES:
        is_old = known.now - row.began > RUNAWAY_S
        is_lost = row.key.job_id not in known.live and is_old
        return Cause.RUNAWAY if is_lost else Cause.RUNNING
    if record is None or record.ended_at is None:
        ends = row.began + row.use.seconds
        return Cause.LATE if ends > known.read_until - RUNAWAY_S else Cause.MISSING
    if record.suspended_s:
        return Cause.SUSPENDED
    return Cause.CHANGED
