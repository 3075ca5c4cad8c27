"""On which day a run was suspended: accounting's rows tell only how long in all."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kqi_hub.domain.accounting_ports import ReadRecord, UsageReader
from kqi_hub.domain.job_records import JobRecord, RecordKey
from kqi_hub.domain.site_days import Day, SiteDays

ByDay = dict[RecordKey, dict[Day, int]]


@dataclass(frozen=True, slots=True)
class Suspensions:
    """Ask for each day of the few runs that were suspended and lie on several."""

    reader: UsageReader
    days: SiteDays

    async def completed(
        self,
        read: list[ReadRecord],
        unknown: Callable[[Sequence[ReadRecord]], list[ReadRecord]],
    ) -> list[ReadRecord]:
        """Return the records with the days on which they were suspended, where new."""
        wanted = [one for one in read if self._needs(one.record)]
        if not wanted:
            return read
        new = await asyncio.to_thread(unknown, wanted)
        if not new:
            return read
        found = await self._by_day([one.record for one in new])
        return [_completed(one, found.get(one.record.key, {})) for one in read]

    def _needs(self, record: JobRecord) -> bool:
        started, ended = record.started_at, record.ended_at
        if not record.suspended_s or started is None or ended is None:
            return False
        return self.days.day_of(started) != self.days.day_of(ended)

    async def _by_day(self, records: Sequence[JobRecord]) -> ByDay:
        found: ByDay = defaultdict(dict)
        wanted: dict[Day, list[JobRecord]] = defaultdict(list)
        for record in records:
            # Both are known of those that need it.
            first, last = record.started_at or 0, record.ended_at or 0
            for day in range(self.days.day_of(first), self.days.day_of(last) + 1):
                wanted[day].append(record)
        for day, those in wanted.items():
            window = self.days.begins(day), self.days.begins(day + 1)
            numbers = sorted({record.job_id for record in those})
            told = await self.reader.suspended(numbers, *window)
            for record in those:
                if seconds := told.get(record.key, 0):
                    found[record.key][day] = seconds
        return found


def _completed(read: ReadRecord, days: dict[Day, int]) -> ReadRecord:
    # What does not come to the whole is not believed.
    if not days or sum(days.values()) != read.record.suspended_s:
        return read
    told = ",".join(f"{day}={days[day]}" for day in sorted(days))
    return read._replace(record=read.record._replace(suspended=told))
