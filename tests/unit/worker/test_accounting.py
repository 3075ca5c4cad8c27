"""The worker's rounds through accounting: what is due, in order, whatever fails."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from kqi_hub.domain.accounting_ports import NodeHas
from kqi_hub.domain.cluster import GpuCount, Node
from kqi_hub.domain.site_days import SiteDays
from kqi_hub.services.intake import DAY_S, Intake
from kqi_hub.services.shape_watch import ShapeWatch
from kqi_hub.worker.accounting import INTERVAL_S, SOON_S, AccountingRounds
from kqi_hub.worker.clocks import Clocks
from kqi_hub.worker.journal import Journal
from tests.fakes.intake import FakeAccounting, FakeRecords, run

NOON = 1_794_312_000
A100 = Node(
    "a100-01", "idle", (), ("a100",), 64, 0, 1_024_000, 0, (GpuCount("a100", 8, 0),)
)


class Stopped(Exception):
    """The worker is told to end."""


@dataclass
class FakeShapes:
    """The port ShapeStore."""

    kept: list[tuple[str, int, NodeHas]] = field(default_factory=list)

    def add(self, nodes: Mapping[str, NodeHas], now: int) -> int:
        self.kept += [(name, now, has) for name, has in nodes.items()]
        return len(nodes)


class Lab:
    """A worker's part in accounting, with clocks that a test turns."""

    def __init__(self) -> None:
        self.now = float(NOON)
        self.nodes: Sequence[Node] = (A100,)
        self.slept: list[float] = []
        self.kept_at_first_card: list[int] = []
        self.accounting = FakeAccounting()
        self.records = FakeRecords()
        self.shapes = FakeShapes()
        intake = Intake(self.accounting, self.records, SiteDays(), lambda: self.now)
        watch = ShapeWatch(lambda: self.nodes, self.shapes, lambda: self.now)
        clocks = Clocks(lambda: self.now, lambda: self.now, self.sleep)
        self.rounds = AccountingRounds(intake, watch, self.publish, Journal(), clocks)

    def publish(self) -> None:
        self.kept_at_first_card.append(len(self.records.kept))

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        if len(self.slept) == 3:
            raise Stopped


@pytest.fixture
def lab() -> Lab:
    return Lab()


async def test_a_round_takes_in_what_is_new_and_the_past(lab: Lab) -> None:
    rows = [run(1, NOON - 60, NOON - 5), run(2, NOON - 400 * DAY_S, NOON - 399 * DAY_S)]
    lab.accounting.rows = rows
    assert await lab.rounds.round()
    assert len(lab.records.kept) == 2
    assert lab.shapes.kept == [("a100-01", NOON, (64, 1_024_000, "a100=8"))]


async def test_nothing_is_charged_before_the_nodes_are_known(lab: Lab) -> None:
    lab.accounting.rows = [run(1, NOON - 60, NOON - 5)]
    lab.nodes = ()
    assert not await lab.rounds.round()
    assert not lab.records.kept
    lab.nodes = (A100,)
    await lab.rounds.round()
    assert len(lab.records.kept) == 1


async def test_nothing_is_charged_before_there_is_a_card(lab: Lab) -> None:
    lab.accounting.rows = [run(1, NOON - 60, NOON - 5)]
    await lab.rounds.round()
    assert lab.kept_at_first_card == [0]
    assert len(lab.records.kept) == 1


async def test_a_node_that_slurm_has_not_seen_has_no_shape(lab: Lab) -> None:
    lab.nodes = (A100, Node("new01", "unknown", (), (), 1, 0, 1, 0))
    await lab.rounds.round()
    assert [name for name, _, _ in lab.shapes.kept] == ["a100-01"]


async def test_what_fails_ends_no_process_and_is_tried_again(lab: Lab) -> None:
    lab.accounting.breaks_at = 0
    assert await lab.rounds.round()
    assert not lab.records.known.is_whole
    lab.accounting.breaks_at = None
    assert await lab.rounds.round()
    assert lab.records.known.is_whole


@pytest.mark.parametrize(("nodes", "wait"), [((A100,), INTERVAL_S), ((), SOON_S)])
async def test_it_goes_round_every_five_minutes(
    lab: Lab, nodes: Sequence[Node], wait: float
) -> None:
    lab.nodes = nodes
    with pytest.raises(Stopped):
        await lab.rounds.run()
    assert lab.slept == [wait] * 3
