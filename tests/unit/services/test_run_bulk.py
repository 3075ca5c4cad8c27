"""One thing done to many runs, and what counts where nothing is said."""

import pytest

from kqi_hub.domain.errors import Conflict, InvalidInput, NotFound, NotPermitted
from kqi_hub.domain.runs import RunKind, RunState
from kqi_hub.services.run_bulk import MOST_AT_ONCE, Bulk, ManyRuns
from kqi_hub.services.run_defaults import lifetime_for
from kqi_hub.services.runs import Runs
from kqi_hub.services.tenant_rights import Asker
from tests.fakes.data_items import somebody
from tests.fakes.notebooks import open_to_all
from tests.fakes.queues import FakeQueues
from tests.fakes.runs import DONE, FAILED, INFERENCE, RUNNING, FakeRuns

DAY_S = 24 * 3600


@pytest.fixture
def fakes() -> FakeRuns:
    made = FakeRuns()
    made.furnish("mia")
    return made


@pytest.fixture
def runs(fakes: FakeRuns) -> Runs:
    return fakes.runs(open_to_all(["mia", "max"], FakeQueues()))


def many(runs: Runs, action: Bulk, who: Asker, tag: str = "") -> ManyRuns:
    return ManyRuns(runs, who, RunKind.TRAINING, action, tag)


async def test_each_of_many_fails_for_itself(runs: Runs, fakes: FakeRuns) -> None:
    wanted = [DONE, RUNNING, INFERENCE, 99, RUNNING]
    done = await many(runs, Bulk.STOP, somebody("mia")).do(wanted)
    assert [(one.run_id, type(one.error)) for one in done] == [
        (DONE, Conflict),
        (RUNNING, type(None)),
        (INFERENCE, NotFound),
        (99, NotFound),
    ]
    assert fakes.store.runs[RUNNING].stopping is RunState.USER_CANCELED


async def test_others_runs_stay(runs: Runs, fakes: FakeRuns) -> None:
    for action in Bulk:
        done = await many(runs, action, somebody("max"), "x").do([FAILED])
        assert [type(one.error) for one in done] == [NotPermitted], action
    assert FAILED in fakes.store.runs


@pytest.mark.parametrize("ids", [[], list(range(1, MOST_AT_ONCE + 2))])
async def test_none_and_too_many_are_refused(runs: Runs, ids: list[int]) -> None:
    with pytest.raises(InvalidInput):
        await many(runs, Bulk.STOP, somebody("mia")).do(ids)


@pytest.mark.parametrize("tag", ["", " ", "a\nb", "a,b", "!a", "x" * 1000])
async def test_a_tag_that_is_none_changes_nothing(
    runs: Runs, fakes: FakeRuns, tag: str
) -> None:
    before = dict(fakes.store.runs)
    with pytest.raises(InvalidInput):
        await many(runs, Bulk.TAG, somebody("mia"), tag).do([DONE])
    assert fakes.store.runs == before


@pytest.mark.parametrize(
    ("queue", "wanted", "lifetime_s"),
    [
        ("cpu", None, DAY_S),
        ("jupyter", None, 8 * 3600),
        ("jupyter", 9 * 3600, 9 * 3600),
        ("nosuch", None, DAY_S),
    ],
)
async def test_a_lifetime_that_nobody_said_is_one_that_the_queue_allows(
    runs: Runs, queue: str, wanted: int | None, lifetime_s: int
) -> None:
    found = await lifetime_for(runs, somebody("mia"), queue, "vision", wanted)
    assert found == lifetime_s
