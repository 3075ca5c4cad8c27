"""Compare our use of the cluster with Slurm's, day by day, and keep what was found."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from kqi_hub.domain.errors import InvalidInput
from kqi_hub.domain.job_records import JobRecord, RecordKey
from kqi_hub.domain.reconciliation import (
    MOST_NAMED,
    AccountUse,
    Cause,
    Difference,
    Known,
    Reconciliation,
    RecordedUse,
    SlurmUse,
    Use,
    UseReader,
    compare_day,
    our_use,
    unposted,
)
from kqi_hub.domain.site_days import Day, SiteDays, period_of

_HOUR_S: Final = 3600
_MOST_DAYS: Final = 400


@dataclass
class _Sums:
    """What has been compared so far; days are let go once they are counted."""

    ours: dict[str, Use] = field(default_factory=lambda: defaultdict(Use))
    slurm: dict[str, Use] = field(default_factory=lambda: defaultdict(Use))
    causes: dict[Cause, Use] = field(default_factory=lambda: defaultdict(Use))
    counts: Counter[Cause] = field(default_factory=Counter)
    named: list[Difference] = field(default_factory=list)

    def add_use(self, account: str, ours: Use, slurm: Use) -> None:
        self.ours[account] = self.ours[account].plus(ours)
        self.slurm[account] = self.slurm[account].plus(slurm)

    def add(self, differences: list[Difference]) -> None:
        for one in differences:
            self.causes[one.cause] = self.causes[one.cause].plus(one.use)
            self.counts[one.cause] += 1
            if self.counts[one.cause] <= MOST_NAMED:
                self.named.append(one)

    @property
    def unexplained(self) -> Use:
        left = Use()
        for use in self.ours.values():
            left = left.plus(use)
        for use in (*self.slurm.values(), *self.causes.values()):
            left = left.plus(use, -1)
        return left


@dataclass(frozen=True)
class UseReconciler:
    """Ask accounting a second time, and tell where it and the book differ."""

    reader: UseReader
    kept: RecordedUse
    days: SiteDays
    wall: Callable[[], float] = time.time

    def this_month(self, to_now: bool = False) -> tuple[int, int]:
        """Return from when to when: the month so far, to the last full hour or now."""
        now = int(self.wall())
        month = period_of(self.days.day_of(now))
        until = now if to_now else now // _HOUR_S * _HOUR_S
        return self.days.month_begins(month), until

    async def lately(self, count: int) -> tuple[int, int] | None:
        """Return from when to when: so many local days, to the last full hour.

        Days that have not been taken in yet are left out; None: nothing has been.
        """
        filled = await asyncio.to_thread(self.kept.filled_back_to)
        until = int(self.wall()) // _HOUR_S * _HOUR_S
        since = self.days.begins(self.days.day_of(until) - count)
        if filled is not None and filled > since:
            since = self.days.begins(self.days.day_of(filled) + 1)
        return None if filled is None or since >= until else (since, until)

    async def last(self) -> Reconciliation | None:
        """Return what the last comparison found."""
        return await asyncio.to_thread(self.kept.kept)

    async def compare(self, since: int, until: int) -> Reconciliation:
        """Compare from the beginning of a day to a moment, and keep what is found."""
        first, last = self.days.day_of(since), self.days.day_of(max(since, until - 1))
        if since >= until or last - first >= _MOST_DAYS:
            raise InvalidInput(
                "From {since} to {until} is no time to compare.",
                "Give at least an hour that is over, and at most 400 days.",
                since=since,
                until=until,
            )
        sums = _Sums()
        for day in range(first, last + 1):
            await self._compare_day(sums, day, until)
        rolled_up = None
        if until % _HOUR_S == 0:
            # Slurm rolls up whole hours.
            rolled_up = await self.reader.rolled_up(self.days.begins(first), until)
        found = self._found(sums, (self.days.begins(first), until), rolled_up)
        await asyncio.to_thread(self.kept.keep, found)
        return found

    async def _compare_day(self, sums: _Sums, day: Day, until: int) -> None:
        begins, ends = self.days.begins(day), min(self.days.begins(day + 1), until)
        is_whole = ends == self.days.begins(day + 1)
        slurm = await self.reader.use(begins, ends)
        known, ours, booked = await asyncio.to_thread(self._ours, day, (begins, ends))
        differences = compare_day(ours, slurm, day, known)
        if is_whole:
            differences += unposted(ours, booked, day)
        _add_day(sums, ours, slurm, booked if is_whole else None)
        sums.add(differences)

    def _ours(
        self, day: Day, time: tuple[int, int]
    ) -> tuple[Known, dict[RecordKey, tuple[JobRecord, Use]], Mapping[str, Use]]:
        known = Known(self.kept.read_until(), self.kept.live(), self.wall())
        records = self.kept.records(*time)
        return known, our_use(records, self.days, *time), self.kept.booked(day)

    def _found(
        self,
        sums: _Sums,
        time: tuple[int, int],
        rolled_up: Mapping[str, Use] | None,
    ) -> Reconciliation:
        names = sorted({*sums.ours, *sums.slurm, *(rolled_up or {})})
        return Reconciliation(
            *time,
            at=self.wall(),
            accounts=tuple(
                AccountUse(
                    name,
                    sums.ours.get(name, Use()),
                    sums.slurm.get(name, Use()),
                    None if rolled_up is None else rolled_up.get(name, Use()),
                )
                for name in names
            ),
            causes=dict(sums.causes),
            counts=dict(sums.counts),
            named=tuple(sums.named),
            unexplained=sums.unexplained,
        )


def _add_day(
    sums: _Sums,
    ours: Mapping[RecordKey, tuple[JobRecord, Use]],
    slurm: Sequence[SlurmUse],
    booked: Mapping[str, Use] | None,
) -> None:
    """Count a day: by the book where the day is over, else by the records."""
    if booked is None:
        for record, use in ours.values():
            sums.add_use(record.account, use, Use())
    else:
        for account, use in booked.items():
            sums.add_use(account, use, Use())
    for row in slurm:
        sums.add_use(row.account, Use(), row.use)
