"""Pages of runs are told of the tenants that they show, and of no others."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import cast

import pytest

from kqi_hub.domain.job import Job
from kqi_hub.domain.run_ports import NewRun, Told
from kqi_hub.domain.runs import RunKind, RunSpec, RunState
from kqi_hub.services.board import Board, Picture
from kqi_hub.services.freshness import Trust
from kqi_hub.services.run_live import RunNews, Tenants
from tests.fakes.people import FakeAssociations
from tests.fakes.queues import FakeQueues, job
from tests.fakes.runs import FakeRuns

NOW = 1_795_000_000.0
VISION, NLP, BOTH = ("vision",), ("nlp",), ("nlp", "vision")
ALL: frozenset[Tenants] = frozenset({VISION, NLP, BOTH, (), None})
JOBS = (
    job(1, "mia", "cpu", "PENDING", reason="Priority", priority=7),
    job(2, "max", "cpu", "RUNNING", account="nlp", node_list="cpu01"),
)


@dataclass
class StillBoard:
    """A picture that changes when a test says so."""

    picture: Picture

    async def current(self) -> Picture:
        return self.picture


class Lab:
    """The news of a running training in either tenant."""

    def __init__(self) -> None:
        self.made = FakeRuns()
        self.board = StillBoard(Picture(jobs=JOBS, version=1))
        queues = FakeQueues().queues(FakeAssociations())
        queues = replace(queues, board=cast(Board, self.board))
        self.news = RunNews(self.made.runs(queues))
        self.runs = {name: self.ask(name) for name in BOTH}

    def ask(self, tenant: str) -> int:
        spec = RunSpec("first", tenant, "cpu", "true")
        new = NewRun(RunKind.TRAINING, "mia", f"key-{tenant}", spec)
        return self.made.store.ask(new, NOW).id

    def see(self, *jobs: Job) -> None:
        version = self.board.picture.version + 1
        self.board.picture = replace(self.board.picture, jobs=jobs, version=version)

    async def told(self) -> Mapping[Tenants, object]:
        return await self.news.look_at(ALL)

    async def told_anew(self, before: Mapping[Tenants, object]) -> set[Tenants]:
        return {
            shown
            for shown, told in (await self.told()).items()
            if told != before[shown]
        }


@pytest.mark.parametrize("tenant", BOTH)
async def test_a_run_is_news_where_its_tenant_is_shown(tenant: str) -> None:
    lab = Lab()
    before = await lab.told()
    lab.made.store.told(lab.runs[tenant], Told(RunState.PENDING, NOW + 1, job_id=9))
    assert await lab.told_anew(before) == {(tenant,), BOTH, None}


async def test_a_new_run_and_the_end_of_one_are_news() -> None:
    lab = Lab()
    lab.made.store.told(lab.runs["nlp"], Told(RunState.REFUSED, NOW + 1))
    before = await lab.told()
    assert before[NLP] != before[VISION]
    lab.ask("nlp")
    assert await lab.told_anew(before) == {NLP, BOTH, None}


@pytest.mark.parametrize(
    ("mine", "expected"),
    [
        ({"state": "RUNNING"}, {VISION, BOTH, None}),
        ({"reason": "Resources"}, {VISION, BOTH, None}),
        ({"starts_at": 1_795_000_600}, {VISION, BOTH, None}),
        # No page shows it, and a scheduler counts it up all the time.
        ({"priority": 8}, set()),
        ({}, set()),
    ],
)
async def test_what_slurm_makes_of_a_job_is_news_where_its_tenant_is_shown(
    mine: dict[str, object], expected: set[Tenants]
) -> None:
    lab = Lab()
    before = await lab.told()
    first, other = JOBS
    lab.see(replace(first, **mine), other)  # type: ignore[arg-type]  # as above
    assert await lab.told_anew(before) == expected


async def test_a_job_of_others_is_no_news_and_its_end_is_for_its_own() -> None:
    lab = Lab()
    before = await lab.told()
    lab.see(JOBS[0])
    assert await lab.told_anew(before) == {NLP, BOTH, None}


async def test_that_slurm_is_silent_is_news_for_everybody() -> None:
    lab = Lab()
    before = await lab.told()
    standing = replace(lab.board.picture.standing, trust=Trust.STALE)
    lab.board.picture = replace(lab.board.picture, standing=standing)
    assert await lab.told_anew(before) == set(ALL)
