"""The book in memory, as the database keeps it; and records to post to it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeVar

from kqi_hub.domain.accounting_ports import Recorded
from kqi_hub.domain.job_records import JobRecord
from kqi_hub.domain.ledger import Charge
from kqi_hub.domain.money import HOUR_S
from kqi_hub.domain.posting import Line, Place, Posting, Pricing, together
from kqi_hub.domain.rate_cards import RateCard, Tariff
from kqi_hub.domain.site_days import Period, SiteDays
from kqi_hub.domain.usage_counts import DayKey

K = TypeVar("K")
NOON = int(datetime(2026, 10, 31, 12, tzinfo=UTC).timestamp())


class FakeBook:
    """A Book whose transactions are nothing."""

    def __init__(
        self, cards: Sequence[RateCard] = (), days: SiteDays | None = None
    ) -> None:
        self.pricing = Pricing(Tariff(cards), days or SiteDays())
        self.closed: set[Period] = set()
        self.lines: list[Line] = []
        self.usage: dict[DayKey, list[int]] = {}
        self.bills: dict[tuple[Period, str], list[int]] = {}

    def post(self, transaction: object, changed: Sequence[Recorded], now: float) -> int:
        posting = Posting(self.pricing, self.closed, now)
        for run in changed:
            posting.add(run, self.posted(run.id) if run.before else {})
        self.lines += posting.lines
        _add(self.usage, posting.usage.by_day)
        _add(self.bills, posting.bills())
        return len(posting.lines)

    def posted(self, record_id: int) -> dict[Place, Charge]:
        found: dict[Place, Charge] = {}
        for line in self.lines:
            if line.record_id == record_id and line.version is not None:
                place = (line.tenant, line.day, line.version)
                one = Charge(
                    *(line.day, line.version, line.per_hour, line.seconds),
                    *(line.amount, line.cpu_s, line.memory_mb_s),
                    *(line.gpu_s, line.node_s),
                )
                known = found.get(place)
                found[place] = together(known, one) if known else one
        return found

    def kept_usage(self) -> dict[DayKey, list[int]]:
        """Return the sums without those that came to nothing again."""
        return {key: sums for key, sums in self.usage.items() if any(sums)}


def _add(kept: dict[K, list[int]], added: dict[K, list[int]]) -> None:
    for key, sums in added.items():
        known = kept.get(key, [0] * len(sums))
        kept[key] = [a + b for a, b in zip(known, sums, strict=True)]


def a_record(**changes: object) -> JobRecord:
    """Return an hour of two GPUs and eight CPUs, with what is changed."""
    record = JobRecord(
        job_id=7,
        submitted_at=NOON - 60,
        db_index=1,
        shown_id="7",
        name="job",
        user="alice",
        account="vision",
        partition="a100",
        qos="normal",
        state="COMPLETED",
        exit_code="0:0",
        eligible_at=NOON - 60,
        started_at=NOON,
        ended_at=NOON + HOUR_S,
        suspended_s=0,
        time_limit_s=None,
        nodes=1,
        cpus=8,
        memory_mb=32 * 1024,
        gpus="a100=2",
        node_list="n1",
    )
    return record._replace(**changes)  # type: ignore[arg-type]  # named by the tests
