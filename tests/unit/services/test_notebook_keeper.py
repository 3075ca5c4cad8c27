"""The keeper asks again for what the hub has lost, and asks for nothing in vain."""

from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from kqi_hub.domain.errors import HubUnavailable
from kqi_hub.domain.notebooks import Cause
from kqi_hub.services.notebook_keeper import LONGEST_PAUSE_S, NotebookKeeper
from tests.fakes.notebooks import CHOICES, FakeNotebooks

SERVER = ("mia", "nb-1")


@dataclass
class Lab:
    fake: FakeNotebooks = field(default_factory=FakeNotebooks)
    now: float = 100.0

    def __post_init__(self) -> None:
        hub, sessions = self.fake.hub, self.fake.sessions
        self.keeper = NotebookKeeper(sessions, hub, lambda: self.now)
        made = self.fake.store.create("mia", CHOICES, 1.0)
        self.session = sessions.ask(made.id, CHOICES, "key", self.now)

    async def look(self, later_s: float = 0.0) -> list[tuple[str, ...]]:
        """Look some time later; return what the hub was asked to do."""
        self.now += later_s
        self.fake.hub.asked.clear()
        await self.keeper.look()
        return [words for words in self.fake.hub.asked if words[0] != "states"]


@pytest.fixture
def lab() -> Lab:
    return Lab()


async def test_a_start_under_way_is_left_alone(lab: Lab) -> None:
    assert await lab.look(5.0) == []
    lab.fake.hub.servers[SERVER] = "spawn"
    assert await lab.look(3600.0) == []


async def test_what_the_hub_has_lost_is_asked_for_again(lab: Lab) -> None:
    assert await lab.look(11.0) == [("start", *SERVER, "notebook")]
    lab.fake.hub.servers[SERVER] = "ready"
    assert await lab.look(60.0) == []


async def test_what_fails_again_and_again_is_asked_for_ever_more_seldom(
    lab: Lab,
) -> None:
    asked_at = []
    for _ in range(2000):
        if await lab.look(5.0):
            asked_at.append(lab.now)
        lab.fake.hub.servers.clear()
    pauses = [b - a for a, b in pairwise(asked_at)]
    assert pauses[0] == 10.0
    assert sorted(pauses) == pauses
    assert pauses[-1] == LONGEST_PAUSE_S


async def test_a_stop_that_the_hub_did_not_hear_is_asked_for_again(lab: Lab) -> None:
    lab.fake.sessions.stopping(lab.session.id, Cause.STOPPED, lab.now)
    lab.fake.hub.servers[SERVER] = "ready"
    assert await lab.look(11.0) == [("stop", *SERVER)]


async def test_a_wish_that_was_stopped_before_anything_happened_ends(lab: Lab) -> None:
    lab.fake.sessions.stopping(lab.session.id, Cause.STOPPED, lab.now)
    assert await lab.look(11.0) == []
    assert lab.fake.store.all_sessions[lab.session.id].cause is Cause.STOPPED


async def test_a_session_with_a_job_is_never_ended_here(lab: Lab) -> None:
    lab.fake.sessions.submitted(lab.session.id, 7, lab.now)
    lab.fake.sessions.stopping(lab.session.id, Cause.STOPPED, lab.now)
    await lab.look(11.0)
    assert lab.fake.store.all_sessions[lab.session.id].is_live


async def test_a_silent_hub_ends_nothing(lab: Lab) -> None:
    lab.fake.hub.down = HubUnavailable("The hub does not answer right now.")
    assert await lab.look(1e6) == []
    assert lab.fake.sessions.live() == (lab.session,)
