"""Use of the cluster for those who may see it: sums, and the runs behind them.

A person sees their own runs, a manager the whole tenant, an operator everything.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final, Protocol

from kqi_hub.domain.capacity import CapacityLine
from kqi_hub.domain.errors import InvalidInput, NotFound, NotPermitted
from kqi_hub.domain.ledger import Entry
from kqi_hub.domain.node_shapes import NodeShape
from kqi_hub.domain.people import Role
from kqi_hub.domain.samples import Sample, full_hours, samples
from kqi_hub.domain.site_days import SiteDays
from kqi_hub.domain.usage import (
    Capacity,
    Days,
    Group,
    IntakeState,
    Measured,
    Narrowing,
    Place,
    RunsAsked,
    RunsFound,
    UsageTable,
    UsedRun,
)
from kqi_hub.domain.usage_periods import read_days
from kqi_hub.domain.usage_top import Top, TopAsked, TopList
from kqi_hub.services.tenant_rights import Asker, require

# A day is a row: what is longer is asked for by month.
MOST_DAYS: Final = 400
# A file of runs is made in one piece.
MOST_RUNS: Final = 100_000
_BITE: Final = 5000
# So many runs stand out.
TOP: Final = 10
MOST_SAMPLES: Final = 200_000
# The portal may learn of an end a while after it.
_SURELY_OVER_S: Final = 3600


class Of(StrEnum):
    """Whose use is looked at."""

    MINE = "mine"
    TENANT = "tenant"
    CLUSTER = "cluster"


class UsageStore(Protocol):
    """The book's sums. Every method blocks."""

    def tables(
        self, whose: Narrowing, days: Days, groups: Sequence[Group]
    ) -> tuple[UsageTable, ...]:
        """Return use added up in several ways, all of the same moment."""

    def intake(self) -> IntakeState:
        """Return how far accounting was read."""

    def shapes(self) -> tuple[NodeShape, ...]:
        """Return what the nodes have, and had."""


class TopStore(Protocol):
    """Where the runs are found that stand out. Blocks."""

    def top(self, asked: TopAsked) -> tuple[UsedRun, ...]:
        """Return the runs that stand out most, the first one first."""


class UsedRunStore(TopStore, Protocol):
    """The runs behind the sums. Every method blocks."""

    def runs(self, asked: RunsAsked) -> RunsFound:
        """Return a page of runs: those without an end, then the last ended first."""

    def run(self, number: int) -> tuple[UsedRun, tuple[Entry, ...]] | None:
        """Return a run with every line that the book has of it."""

    def unfinished(self, before: int, limit: int) -> tuple[UsedRun, ...]:
        """Return runs that have begun before a moment and have no end."""

    def measured(self, whose: Narrowing, begins: int, ends: int) -> Measured:
        """Return what runs that ended in a time measured of themselves."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose use, and which of it; empty texts narrow nothing."""

    of: Of = Of.MINE
    tenant: str | None = None
    person: str = ""
    queue: str = ""
    qos: str = ""
    gpu_type: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class RunsWanted:
    """Which page of runs, and of which job."""

    job: int | None = None
    failed: bool = False
    after: Place | None = None
    limit: int = 50
    thing: int | None = None


_ALL: Final = RunsWanted()


@dataclass(frozen=True)
class Usage:
    """Answer questions about use; `days` knows where the site's days begin."""

    sums: UsageStore
    records: UsedRunStore
    days: SiteDays = field(default_factory=SiteDays)
    wall: Callable[[], float] = time.time
    most_runs: int = MOST_RUNS
    most_samples: int = MOST_SAMPLES

    def read_days(self, period: str, since: str = "", until: str = "") -> Days:
        """Return the days that somebody typed, as of today."""
        return read_days(period, since, until, self.days.day_of(self.wall()))

    async def tables(
        self, asker: Asker, asked: Asked, days: Days, groups: Sequence[Group]
    ) -> tuple[UsageTable, ...]:
        """Return use added up in several ways."""
        whose = whose_of(asker, asked)
        if Group.DAY in groups and days.number > MOST_DAYS:
            raise InvalidInput(
                "{count} days are too many to be told one by one.",
                "Ask for months, or for a shorter time.",
                count=days.number,
            )
        return await asyncio.to_thread(self.sums.tables, whose, days, groups)

    async def runs(
        self, asker: Asker, asked: Asked, days: Days, wanted: RunsWanted
    ) -> RunsFound:
        """Return a page of the runs behind the sums."""
        question = self._question(whose_of(asker, asked), days, wanted)
        return await asyncio.to_thread(self.records.runs, question)

    async def top(
        self, asker: Asker, asked: Asked, days: Days, limit: int = TOP
    ) -> tuple[TopList, ...]:
        """Return the dearest runs, failed GPU hours, longest waits of some days.

        Of the runs that ended in them, each as a whole.
        """
        whose = whose_of(asker, asked)
        if days.number > MOST_DAYS:
            raise InvalidInput(
                "{count} days are too many to look for single runs.",
                "Ask for a shorter time.",
                count=days.number,
            )
        times = self.begins(days), self.ends(days)
        return tuple(
            [
                TopList(by, await asyncio.to_thread(self.records.top, question))
                for by in Top
                for question in [TopAsked(whose, *times, by, limit)]
            ]
        )

    async def all_runs(
        self, asker: Asker, asked: Asked, days: Days, wanted: RunsWanted
    ) -> tuple[UsedRun, ...]:
        """Return every run behind the sums; InvalidInput where they are too many."""
        limited = replace(wanted, limit=min(_BITE, self.most_runs + 1))
        question = self._question(whose_of(asker, asked), days, limited)
        return await asyncio.to_thread(self._all, question)

    async def run(self, asker: Asker, number: int) -> tuple[UsedRun, tuple[Entry, ...]]:
        """Return a run with its lines of the book; others' are not there."""
        found = await asyncio.to_thread(self.records.run, number)
        if found is None or not _sees(asker, found[0]):
            raise NotFound(
                "There is no run {number}, or it is not yours to see.",
                "The list of runs shows the ones that are.",
                number=number,
            )
        return found

    async def measured(self, asker: Asker, asked: Asked, days: Days) -> Measured:
        """Return what runs measured of themselves, of those that the portal began."""
        whose = whose_of(asker, asked)
        begins, ends = self.begins(days), self.ends(days)
        return await asyncio.to_thread(self.records.measured, whose, begins, ends)

    async def samples(self, asker: Asker, asked: Asked, days: Days) -> list[Sample]:
        """Return what ran on which node at each full hour, idle nodes too."""
        runs = await self.all_runs(asker, replace(asked, of=Of.CLUSTER), days, _ALL)
        shapes = await asyncio.to_thread(self.sums.shapes)
        now = int(self.wall())
        hours = full_hours(self.begins(days), min(self.ends(days), now))
        found = await asyncio.to_thread(
            samples, runs, shapes, hours, (now, self.most_samples)
        )
        if found is None:
            raise InvalidInput(
                "More than {most} lines are too many for one file.",
                "Ask for a shorter time.",
                most=self.most_samples,
            )
        return found

    async def intake(self) -> IntakeState:
        """Return how far accounting was read: what is not there yet is not missing."""
        return await asyncio.to_thread(self.sums.intake)

    async def capacity(self, spans: Sequence[Days]) -> tuple[Capacity, ...]:
        """Return what the cluster could have given until now, for each time."""
        shapes = await asyncio.to_thread(self.sums.shapes)
        return await asyncio.to_thread(self._capacities, shapes, spans)

    async def runaways(
        self, asker: Asker, live: Collection[int], limit: int = 50
    ) -> tuple[UsedRun, ...]:
        """Return runs that accounting takes for running and Slurm does not know.

        `live` are the numbers of the jobs that there are.
        """
        whose_of(asker, Asked(Of.CLUSTER))
        before = int(self.wall()) - _SURELY_OVER_S
        most = limit + len(live)
        found = await asyncio.to_thread(self.records.unfinished, before, most)
        return tuple(run for run in found if run.record.job_id not in live)[:limit]

    def begins(self, days: Days) -> int:
        """Return the first second of some days."""
        return self.days.begins(days.first)

    def ends(self, days: Days) -> int:
        """Return the first second after some days."""
        return self.days.begins(days.last + 1)

    def _capacities(
        self, shapes: Sequence[NodeShape], spans: Sequence[Days]
    ) -> tuple[Capacity, ...]:
        line, now = CapacityLine(shapes), int(self.wall())
        return tuple(
            line.between(
                self.begins(one), max(self.begins(one), min(now, self.ends(one)))
            )
            for one in spans
        )

    def _question(self, whose: Narrowing, days: Days, wanted: RunsWanted) -> RunsAsked:
        return RunsAsked(
            whose=whose,
            days=days,
            begins=self.begins(days),
            ends=self.ends(days),
            job=wanted.job,
            thing=wanted.thing,
            failed=wanted.failed,
            after=wanted.after,
            limit=wanted.limit,
        )

    def _all(self, question: RunsAsked) -> tuple[UsedRun, ...]:
        runs: list[UsedRun] = []
        while True:
            page = self.records.runs(question)
            runs += page.runs
            if len(runs) > self.most_runs:
                raise InvalidInput(
                    "More than {most} runs are too many for one file.",
                    "Ask for a shorter time, a queue or a person.",
                    most=self.most_runs,
                )
            if page.following is None:
                return tuple(runs)
            question = replace(question, after=page.following)


def whose_of(asker: Asker, asked: Asked) -> Narrowing:
    """Return whose use is meant; refuse what the asker may not see."""
    narrow = Narrowing(
        None, asked.person, asked.queue, asked.qos, asked.gpu_type, asked.kind
    )
    if asked.of is Of.CLUSTER:
        if not asker.standing.is_operator:
            raise NotPermitted(
                "Only operators see the use of the whole cluster.",
                "Ask for your own, or for that of a tenant that you manage.",
            )
        return replace(narrow, tenants=_only(asked.tenant))
    if asked.of is Of.TENANT:
        if asked.tenant is None:
            raise InvalidInput("No tenant is named.", "Say which one.")
        require(asker, asked.tenant, Role.MANAGER)
        return replace(narrow, tenants=(asked.tenant,))
    if asked.person not in {"", asker.person}:
        raise InvalidInput(
            "Your own use is that of {person}.",
            "Managers see others' in their tenant's.",
            person=asker.person,
        )
    if asked.tenant is not None:
        require(asker, asked.tenant, Role.VIEWER)
    return replace(narrow, tenants=_only(asked.tenant), person=asker.person)


def _only(tenant: str | None) -> tuple[str, ...] | None:
    return None if tenant is None else (tenant,)


def _sees(asker: Asker, run: UsedRun) -> bool:
    record = run.record
    return record.user == asker.person or asker.role_in(record.account) is Role.MANAGER
