"""What was used, in memory: the three stores of usage and bills over plain lists.

Sums are added up anew for each question, so that the database has something to be
compared with. Days are UTC.
"""

import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace

from kqi_hub.domain.bills import Bill, Position, Statement
from kqi_hub.domain.job_records import JobRecord, gpus_of
from kqi_hub.domain.ledger import Entry, EntryKind
from kqi_hub.domain.node_shapes import NodeShape
from kqi_hub.domain.own_jobs import kind_of
from kqi_hub.domain.site_days import Period, SiteDays, period_of
from kqi_hub.domain.usage import (
    Days,
    Group,
    IntakeState,
    Measured,
    Narrowing,
    RunsAsked,
    RunsFound,
    Totals,
    UsageTable,
    UsedRun,
)
from kqi_hub.domain.usage_counts import FAILED_STATES
from kqi_hub.domain.usage_periods import month_days
from kqi_hub.domain.usage_top import Top, TopAsked
from kqi_hub.services.bills import Bills
from kqi_hub.services.usage import Usage
from tests.fakes.usage_questions import (
    NEVER,
    Use,
    fits,
    is_of,
    is_whose,
    place_of,
    table_of,
    type_of_gpus,
)

HOUR = 3600
DAY = 86_400
# What an hour costs in a queue, in millionths; there is no price for `old`.
PRICES = {"jupyter": 0, "cpu": 400_000, "v100": 12_345_678, "a100": 90_000_000}
_NOVEMBER = 1_795_000_000  # the 18th of November 2026


def record(
    job_id: int, user: str, tenant: str, queue: str, began: int, hours: float,
    **about: object,
) -> JobRecord:  # fmt: skip
    """Return a run of so many hours that waited ten minutes."""
    plain = JobRecord(
        job_id=job_id, submitted_at=began - 600, db_index=job_id, shown_id=str(job_id),
        name=f"job-{job_id}", user=user, account=tenant, partition=queue, qos="normal",
        state="COMPLETED", exit_code="0:0", eligible_at=began - 600, started_at=began,
        ended_at=began + int(hours * HOUR), suspended_s=0, time_limit_s=DAY, nodes=1,
        cpus=8, memory_mb=32_768, gpus="", node_list=f"{queue}-01",
    )  # fmt: skip
    return plain._replace(**about)  # type: ignore[arg-type]  # names are the caller's


@dataclass
class FakeUse:
    """A UsageStore, UsedRunStore and BillStore of one cluster."""

    days: SiteDays = field(default_factory=SiteDays)
    uses: list[Use] = field(default_factory=list)
    known: dict[int, UsedRun] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    closed: dict[Period, float] = field(default_factory=dict)
    state: IntakeState = field(default_factory=IntakeState)
    nodes: tuple[NodeShape, ...] = ()
    measures: Measured = field(default_factory=Measured)
    now: float = field(default_factory=time.time)

    def usage(self) -> Usage:
        """Return the service."""
        return Usage(self, self, self.days, lambda: self.now)

    def bills_service(self) -> Bills:
        """Return the service of bills."""
        return Bills(self)

    def furnish(self, person: str) -> None:
        """Give a person a run, and the tenant `vision` a bill of October 2026."""
        self.uses.clear()
        self.known.clear()
        self.entries.clear()
        self.now = _NOVEMBER
        self.add(record(9, person, "vision", "cpu", _NOVEMBER - 40 * DAY, 2))

    def add(self, one: JobRecord, number: int | None = None) -> int:
        """Keep a run, charge it, and count its end; return its number."""
        number = number or len(self.known) + 1
        kind, thing = kind_of(one.name)
        self.known[number] = UsedRun(number, one, kind.value, thing)
        for day, seconds, before in self._parts(one):
            self._charge(number, one, day, seconds, before)
        if one.ended_at is not None:
            self._count(one)
        return number

    def credit(self, tenant: str, period: Period, amount: int, reason: str) -> None:
        """Add a line of credit."""
        day = month_days(period).last
        number = len(self.entries) + 1
        self.entries.append(
            Entry(
                number,
                EntryKind.CREDIT,
                tenant,
                period,
                day,
                amount,
                self.now,
                "rita",
                reason,
            )
        )

    def tables(
        self, whose: Narrowing, days: Days, groups: Sequence[Group]
    ) -> tuple[UsageTable, ...]:
        """Return use added up in several ways."""
        meant = [
            use for use in self.uses
            if days.first <= use.day <= days.last and is_of(use, whose)
        ]  # fmt: skip
        return tuple(table_of(meant, group) for group in groups)

    def intake(self) -> IntakeState:
        """Return how far accounting was read."""
        return self.state

    def shapes(self) -> tuple[NodeShape, ...]:
        """Return what the nodes have."""
        return self.nodes

    def runs(self, asked: RunsAsked) -> RunsFound:
        """Return a page of runs."""
        fit = sorted(
            (run for run in self.known.values() if fits(run, asked)),
            key=place_of, reverse=True,
        )  # fmt: skip
        if asked.after is not None:
            fit = [run for run in fit if place_of(run) < asked.after]
        page = tuple(self._with_sums(run, asked.days) for run in fit[: asked.limit])
        return RunsFound(page, place_of(page[-1]) if len(fit) > asked.limit else None)

    def run(self, number: int) -> tuple[UsedRun, tuple[Entry, ...]] | None:
        """Return a run with its lines."""
        if number not in self.known:
            return None
        lines = tuple(one for one in self.entries if one.record_id == number)
        return self._with_sums(self.known[number], None), lines

    def unfinished(self, before: int, limit: int) -> tuple[UsedRun, ...]:
        """Return runs without an end."""
        found = [
            run
            for run in self.known.values()
            if run.record.ended_at is None and (run.record.started_at or NEVER) < before
        ]
        return tuple(found[:limit])

    def top(self, asked: TopAsked) -> tuple[UsedRun, ...]:
        """Return the runs that stand out most."""
        ended = [
            self._with_sums(run, None)
            for run in self.known.values()
            if asked.begins <= (run.record.ended_at or 0) < asked.ends
            and is_whose(run, asked.whose)
        ]

        def size(run: UsedRun) -> int:
            if asked.by is Top.COST:
                return run.amount
            if asked.by is Top.WAIT:
                return run.waited_s or 0
            return run.gpu_s if run.record.state in FAILED_STATES else 0

        def place(run: UsedRun) -> tuple[int, int, int]:
            return size(run), run.record.ended_at or 0, run.id

        found = sorted(ended, key=place, reverse=True)
        return tuple(run for run in found if size(run) > 0)[: asked.limit]

    def measured(self, whose: Narrowing, begins: int, ends: int) -> Measured:
        """Return what runs measured of themselves."""
        return self.measures

    def bills(
        self, tenants: Collection[str] | None, since: Period, until: Period
    ) -> tuple[Bill, ...]:
        """Return bills, the newest month first."""
        keys = {(one.period, one.tenant) for one in self.entries}
        found = [
            self._bill(period, tenant) for period, tenant in keys
            if since <= period <= until and (tenants is None or tenant in tenants)
        ]  # fmt: skip
        return tuple(sorted(found, key=lambda bill: (-bill.period, bill.tenant)))

    def statement(self, tenant: str, period: Period) -> Statement | None:
        """Return a bill with what it is made of."""
        mine = [
            one for one in self.entries if (one.period, one.tenant) == (period, tenant)
        ]
        if not mine:
            return None
        credits = tuple(one for one in mine if one.kind is EntryKind.CREDIT)
        return Statement(self._bill(period, tenant), self._positions(mine), credits)

    def correct(self, number: int, amount: int, period: Period) -> None:
        """Add a correction of a run's first line, in a later month."""
        first = next(one for one in self.entries if one.record_id == number)
        self.entries.append(
            replace(
                first,
                id=len(self.entries) + 1,
                kind=EntryKind.CORRECTION,
                period=period,
                amount=amount,
                seconds=0,
                cpu_s=0,
                memory_mb_s=0,
                gpu_s=0,
                node_s=0,
                reason="changed",
            )
        )
        run = self.known[number].record
        self._use(run, first.day, Totals(amount=amount))

    def _parts(self, one: JobRecord) -> Iterator[tuple[int, int, int]]:
        begun, over = one.started_at, one.ended_at
        if begun is None or over is None:
            return
        start = begun
        while begun < over:
            day = self.days.day_of(begun)
            ends = min(over, self.days.begins(day + 1))
            yield day, ends - begun, begun - start
            begun = ends

    def _charge(
        self, number: int, one: JobRecord, day: int, seconds: int, before: int
    ) -> None:
        price = PRICES.get(one.partition)
        whole = (price or 0) * (before + seconds) // HOUR
        amount = whole - (price or 0) * before // HOUR
        gpus = sum(gpus_of(one.gpus).values())
        used = {
            "amount": amount,
            "seconds": seconds,
            "cpu_s": one.cpus * seconds,
            "memory_mb_s": one.memory_mb * seconds,
            "gpu_s": gpus * seconds,
            "node_s": one.nodes * seconds,
        }
        unpriced = seconds if price is None else 0
        self._use(one, day, Totals(**used, unpriced_s=unpriced))
        entry = Entry(
            id=len(self.entries) + 1,
            kind=EntryKind.CHARGE,
            tenant=one.account,
            period=period_of(day),
            day=day,
            amount=amount,
            at=self.now,
            author="worker",
            record_id=number,
            version=1,
            per_hour=price,
        )
        del used["amount"]
        self.entries.append(replace(entry, **used))  # type: ignore[arg-type]  # all integers

    def _count(self, one: JobRecord) -> None:
        gpus = sum(gpus_of(one.gpus).values())
        parts = list(self._parts(one))
        ran = sum(seconds for _, seconds, _ in parts)
        failed = one.state in FAILED_STATES
        paid = (PRICES.get(one.partition) or 0) * ran // HOUR
        began = one.started_at
        totals = Totals(
            runs=1,
            failed_runs=int(failed),
            failed_gpu_s=gpus * ran if failed else 0,
            failed_amount=paid if failed else 0,
            started_runs=int(began is not None),
            waited_s=0 if began is None else began - one.submitted_at,
        )
        self._use(one, self.days.day_of(one.ended_at or 0), totals)

    def _use(self, one: JobRecord, day: int, totals: Totals) -> None:
        kind, _ = kind_of(one.name)
        gpu_type = type_of_gpus(one)
        self.uses.append(
            Use(
                day,
                one.account,
                one.user,
                one.partition,
                one.qos,
                gpu_type,
                kind.value,
                totals,
            )
        )

    def _with_sums(self, run: UsedRun, days: Days | None) -> UsedRun:
        lines = [
            one for one in self.entries
            if one.record_id == run.id
            and (days is None or days.first <= one.day <= days.last)
        ]  # fmt: skip
        names = ("amount", "seconds", "cpu_s", "memory_mb_s", "gpu_s")
        return run._replace(
            **{name: sum(getattr(one, name) for one in lines) for name in names}
        )

    def _bill(self, period: Period, tenant: str) -> Bill:
        sums = dict.fromkeys(EntryKind, 0)
        for one in self.entries:
            if (one.period, one.tenant) == (period, tenant):
                sums[one.kind] += one.amount
        charged, corrected, credited = sums.values()
        closed = self.closed.get(period)
        return Bill(period, tenant, charged, corrected, credited, closed)

    def _positions(self, lines: Sequence[Entry]) -> tuple[Position, ...]:
        found: dict[tuple[str, str, str, bool], list[Entry]] = {}
        for one in lines:
            if one.record_id is not None:
                run = self.known[one.record_id]
                earlier = one.day < month_days(one.period).first
                key = (run.record.user, run.record.partition, run.kind, earlier)
                found.setdefault(key, []).append(one)
        positions = [
            Position(
                *key, len({one.record_id for one in of}),
                *(sum(getattr(one, name) for one in of)
                  for name in ("seconds", "cpu_s", "gpu_s", "amount")),
            )
            for key, of in found.items()
        ]  # fmt: skip
        return tuple(sorted(positions, key=lambda one: (one.earlier, -one.amount, one)))
