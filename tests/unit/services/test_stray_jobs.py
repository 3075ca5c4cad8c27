"""Stray jobs are told of once they are certain, never while a session is on its way."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest

from kqi_hub.domain.cluster import Freshness, Reading
from kqi_hub.domain.job import EndedJob, Job
from kqi_hub.domain.notebook_ports import SessionEnd
from kqi_hub.domain.notebooks import Cause
from kqi_hub.services.board import Picture
from kqi_hub.services.checks.finding import Level
from kqi_hub.services.checks.portal import SHOWN, judge_strays
from kqi_hub.services.session_settling import SessionSettler
from kqi_hub.services.stray_jobs import GRACE_S, stray_jobs, strays_of
from kqi_hub.worker.clocks import Clocks
from kqi_hub.worker.journal import Journal
from kqi_hub.worker.notebooks import STRAYS_S, NotebookSessions
from tests.fakes.notebooks import CHOICES, FakeNotebooks
from tests.fakes.queues import job
from tests.fakes.snapshot_store import FakeSnapshotStore

NOW = 1_795_000_000.0
KEY = "abcdefghijklmnopqrstuvwxyz"
LATER = NOW + GRACE_S + 1


def named(name: str, **about: object) -> Job:
    begun = {"submitted_at": int(NOW), "name": name, **about}
    return replace(job(7, "mia", "jupyter", "RUNNING"), **begun)  # type: ignore[arg-type]


@dataclass
class Lab:
    fake: FakeNotebooks = field(default_factory=FakeNotebooks)
    store: FakeSnapshotStore = field(default_factory=FakeSnapshotStore)

    def look(self, at: float, *jobs: Job) -> None:
        self.store.save(Reading(at, (), (), jobs), {})

    def found(self) -> list[int]:
        return [one.job_id for one in stray_jobs(self.fake.sessions, self.store)]

    def session(self) -> int:
        made = self.fake.store.create("mia", CHOICES, NOW)
        return self.fake.sessions.ask(made.id, CHOICES, KEY, NOW).id


@pytest.fixture
def lab() -> Lab:
    return Lab()


def test_a_job_that_no_session_has_is_a_stray(lab: Lab) -> None:
    lab.look(LATER, named(f"nb-1-{KEY}"))
    assert lab.found() == [7]


def test_a_job_that_was_just_submitted_is_none_yet(lab: Lab) -> None:
    lab.look(LATER - 2, named(f"nb-1-{KEY}"))
    assert lab.found() == []


@pytest.mark.parametrize(
    "name",
    ["nb-1", "nb-01-" + KEY, "nb-1-" + KEY.upper(), f"nb-1-{KEY}x", f"xnb-1-{KEY}"],
)
def test_other_peoples_names_are_left_alone(lab: Lab, name: str) -> None:
    lab.look(LATER, named(name))
    assert lab.found() == []


def test_a_live_sessions_job_is_none(lab: Lab) -> None:
    lab.session()
    lab.look(LATER, named(f"nb-1-{KEY}"))
    assert lab.found() == []


def test_the_job_of_a_session_that_just_ended_is_none_yet(lab: Lab) -> None:
    number = lab.session()
    lab.fake.sessions.ended(number, SessionEnd(LATER, Cause.STOPPED))
    lab.look(LATER + GRACE_S - 1, named(f"nb-1-{KEY}"))
    assert lab.found() == []
    lab.look(LATER + GRACE_S + 1, named(f"nb-1-{KEY}"))
    assert lab.found() == [7]


def test_without_a_picture_there_are_none(lab: Lab) -> None:
    assert lab.found() == []


def test_an_owner_is_told_of_their_notebooks_own(lab: Lab) -> None:
    number = lab.session()
    notebook = lab.fake.store.one(1)
    assert notebook is not None
    fresh = Freshness(1, LATER, LATER)
    jobs = (named(f"nb-1-{KEY}"), named(f"nb-11-{KEY}"), named(f"nb-1-{KEY}", user="x"))
    picture = Picture(freshness=fresh, jobs=jobs)
    assert [one.job_id for one in strays_of(notebook, [], picture)] == [7]
    live = lab.fake.store.all_sessions[number]
    assert strays_of(notebook, [live], picture) == ()
    assert strays_of(notebook, [], Picture(jobs=jobs)) == ()


def test_the_doctor_names_some_and_counts_the_rest() -> None:
    assert judge_strays(()).level is Level.OK
    many = [replace(named("x"), job_id=n) for n in range(SHOWN + 2)]
    told = judge_strays(many)
    assert told.level is Level.WARN
    assert "0 of mia, 1 of mia" in told.seen
    assert told.seen.endswith("and 2 more")
    assert "kqi-hub repair" in told.todo


async def test_the_worker_tells_of_each_once_and_looks_seldom(
    lab: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    clock = {"now": 0.0}
    asked = []

    def find() -> tuple[Job, ...]:
        asked.append(clock["now"])
        return stray_jobs(lab.fake.sessions, lab.store)

    settler = SessionSettler(lab.fake.sessions, lab.store, NoAccounting(), lambda: NOW)
    clocks = replace(Clocks(), steady=lambda: clock["now"])
    watch = NotebookSessions(settler, lab.store, Journal(), clocks, find)
    with caplog.at_level(logging.INFO, logger="kqi_hub.worker"):
        for second in range(int(2 * STRAYS_S) + 2):
            clock["now"] = float(second)
            if second % 100 == 0:
                lab.look(LATER + second, named(f"nb-1-{KEY}"))
            await watch.look()
    told = [one for one in caplog.records if one.getMessage() == "stray-job"]
    assert [one.levelname for one in told] == ["WARNING"]
    assert asked == [0.0, STRAYS_S, 2 * STRAYS_S]


class NoAccounting:
    async def ended(self, job_ids: Sequence[int]) -> Mapping[int, EndedJob]:
        raise AssertionError("nobody asks accounting about strays")
