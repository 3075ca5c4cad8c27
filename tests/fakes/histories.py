"""Histories of accounting that hypothesis makes up: rows as they were read over time.

Jobs that go back into their queue, rows that come late or are changed, clocks that are
set back, rates that change in mid-run, ends of months.
"""

from dataclasses import dataclass

from hypothesis import strategies as st

from kqi_hub.domain.job_records import JobRecord
from kqi_hub.domain.money import MICRO
from kqi_hub.domain.rate_cards import CardLine, RateCard
from tests.fakes.book import NOON, a_record

CARDS = (
    RateCard(1, 0, (CardLine("a100", gpu=3 * MICRO, minimum=1_000),)),
    RateCard(
        2, NOON + 86_400, (CardLine("a100", gpu=4 * MICRO), CardLine("*", cpu=77))
    ),
)
DAY_S = 86_400
AFTER = NOON + 40 * DAY_S


@dataclass(frozen=True)
class History:
    """What accounting said over time: rows in the order in which they were read."""

    rows: tuple[tuple[int, JobRecord], ...]

    @property
    def final(self) -> dict[int, JobRecord]:
        return dict(self.rows)


@st.composite
def versions_of(draw: st.DrawFn, id_: int) -> list[tuple[int, JobRecord]]:
    """Return a run as it was read: running, then over, then changed, perhaps."""
    began = NOON + draw(st.integers(-DAY_S, 3 * DAY_S))
    record = a_record(
        job_id=draw(st.integers(1, 5)),
        submitted_at=began - draw(st.integers(-50, 5_000)),
        eligible_at=draw(st.sampled_from([None, began - 10, began + 10])),
        started_at=draw(st.sampled_from([began, began, began, None])),
        ended_at=None,
        user=draw(st.sampled_from(["alice", "bob"])),
        partition=draw(st.sampled_from(["a100", "cpu"])),
        gpus=draw(st.sampled_from(["", "a100=1", "a100=1,v100=1"])),
    )
    rows = [record] if draw(st.booleans()) else []
    for _ in range(draw(st.integers(1, 3))):
        lasted = draw(st.integers(-100, 2 * DAY_S))
        record = record._replace(
            ended_at=draw(st.sampled_from([began + lasted, began + lasted, None])),
            state=draw(st.sampled_from(["COMPLETED", "FAILED", "REQUEUED"])),
            account=draw(st.sampled_from(["vision", "vision", "speech"])),
            suspended_s=draw(st.sampled_from([0, 0, 1_000])),
        )
        rows.append(record)
    return [(id_, row) for row in rows]


@st.composite
def histories(draw: st.DrawFn) -> History:
    runs = [draw(versions_of(id_)) for id_ in range(1, draw(st.integers(2, 6)))]
    turns = draw(st.permutations([run for run in runs for _ in run]))
    left = {id(run): iter(run) for run in runs}
    rows = [next(left[id(run)]) for run in turns]
    return History(tuple(rows))
