"""Accounting in memory: rows as slurmdbd has them, and records as they are kept."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from kqi_hub.domain.accounting_ports import Progress, ReadRecord, TakenIn
from kqi_hub.domain.errors import ClusterUnreachable
from kqi_hub.domain.job_records import JobRecord, RecordKey

ENDED = JobRecord(
    12, 1000, 77, "12", "train", "alice", "vision", "a100", "normal", "COMPLETED",
    "0:0", 1000, 1010, 4610, 0, 3600, 1, 8, 64000, "a100=2", "a100-01",
)  # fmt: skip


def run(
    job_id: int, started: int | None, ended: int | None, **more: object
) -> JobRecord:
    """Return a run of a job that was submitted when it started."""
    submitted = started or ended or 0
    times = {"started_at": started, "ended_at": ended, "eligible_at": submitted}
    values = ENDED._asdict() | {"job_id": job_id, "submitted_at": submitted} | times
    return JobRecord(**(values | more))


@dataclass
class FakeAccounting:
    """The port UsageReader. `breaks_at` is the count of questions that fails.

    `pauses` are the times in which a job was suspended.
    """

    rows: list[JobRecord] = field(default_factory=list)
    pauses: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    breaks_at: int | None = None
    batch: int = 3
    asked: list[tuple[int, int]] = field(default_factory=list)

    async def usage(
        self, since: int, until: int
    ) -> AsyncGenerator[Sequence[ReadRecord], None]:
        self.asked.append((since, until))
        found = [one for one in self.rows if self._overlaps(one, since, until)]
        for at in range(0, len(found), self.batch):
            some = found[at : at + self.batch]
            yield [ReadRecord(one, hash(one)) for one in some]
            # In the middle of an answer.
            self._break()
        if not found:
            self._break()

    async def suspended(
        self, job_ids: Sequence[int], since: int, until: int
    ) -> Mapping[tuple[int, int], int]:
        self._break()
        return {
            one.key: sum(
                max(0, min(end, until) - max(begin, since))
                for begin, end in self.pauses.get(one.job_id, ())
            )
            for one in self.rows
            if one.job_id in job_ids and self._overlaps(one, since, until)
        }

    def _overlaps(self, one: JobRecord, since: int, until: int) -> bool:
        begins = one.eligible_at or 0
        return 0 < begins <= until and (one.ended_at is None or one.ended_at >= since)

    def _break(self) -> None:
        if self.breaks_at is not None:
            self.breaks_at -= 1
            if self.breaks_at < 0:
                raise ClusterUnreachable("slurmdbd is away.", "Start it.")


@dataclass
class FakeRecords:
    """The port RecordStore. `on_write` is called before each change, and may fail."""

    kept: dict[RecordKey, ReadRecord] = field(default_factory=dict)
    posted: list[JobRecord] = field(default_factory=list)
    known: Progress = field(default_factory=Progress)
    on_write: Callable[[], None] = lambda: None

    def unknown(self, read: Sequence[ReadRecord]) -> list[ReadRecord]:
        return [one for one in read if self._hash(one) != one.hash]

    def take_in(self, read: Sequence[ReadRecord], now: float) -> TakenIn:
        self.on_write()
        fresh = self.unknown(read)
        new = sum(one.record.key not in self.kept for one in fresh)
        self.kept |= {one.record.key: one for one in fresh}
        self.posted += [one.record for one in fresh]
        return TakenIn(len(read), new, len(fresh) - new, len(fresh))

    def progress(self) -> Progress:
        return self.known

    def note(self, **changes: int) -> None:
        self.on_write()
        self.known = self.known._replace(**changes)

    def _hash(self, read: ReadRecord) -> int | None:
        kept = self.kept.get(read.record.key)
        return None if kept is None else kept.hash
