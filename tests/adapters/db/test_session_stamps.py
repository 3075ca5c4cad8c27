"""Open pages are told by a number of each person that every change changes."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from sqlalchemy import Engine

from kqi_hub.db import schema
from kqi_hub.db.notebook_sessions import SqlSessionStore
from kqi_hub.db.notebooks import SqlNotebookStore
from kqi_hub.domain.notebook_ports import SessionEnd
from kqi_hub.domain.notebooks import Cause, Choices, Phase, Session

NOW = 1_795_000_000.0
PLAIN = Choices("first", "vision", "jupyter")
CHANGES: dict[str, Callable[[SqlSessionStore, int], Session]] = {
    "submitted": lambda store, one: store.submitted(one, 48_001, NOW),
    "node": lambda store, one: store.reached(one, Phase.NODE, NOW),
    "placed": lambda store, one: store.placed(one, "cpu01", 40_000, NOW),
    "environment": lambda store, one: store.reached(one, Phase.ENVIRONMENT, NOW),
    "server": lambda store, one: store.reached(one, Phase.SERVER, NOW),
    "ready": lambda store, one: store.reached(one, Phase.READY, NOW),
    "stopping": lambda store, one: store.stopping(one, Cause.STOPPED, NOW),
    "ended": lambda store, one: store.ended(one, SessionEnd(NOW, Cause.STOPPED)),
}


@dataclass
class Stores:
    """What keeps notebooks, and what keeps their sessions."""

    notebooks: SqlNotebookStore
    sessions: SqlSessionStore

    def begin(self, name: str, now: float) -> Session:
        """Ask for a session of a new notebook of alice."""
        chosen = replace(PLAIN, name=name)
        notebook = self.notebooks.create("alice", chosen, now)
        return self.sessions.ask(notebook.id, chosen, f"key-{name}", now)

    def stamp(self) -> float | None:
        """Return what alice's pages are told."""
        return self.sessions.stamps(["alice", "bob"]).get("alice")


@pytest.fixture
def stores(engine: Engine) -> Stores:
    schema.upgrade(engine)
    return Stores(SqlNotebookStore(engine), SqlSessionStore(engine, lambda: NOW))


def test_every_change_is_told_though_the_clock_stands_still(stores: Stores) -> None:
    seen = [stores.stamp()]
    session = stores.begin("one", NOW)
    seen.append(stores.stamp())
    for change in CHANGES.values():
        change(stores.sessions, session.id)
        seen.append(stores.stamp())
    assert len(set(seen[:-1])) == len(seen) - 1
    assert seen[-1] is None, "who has no live session is told so"


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_that_bears_an_earlier_time_than_another_session_s_is_told(
    stores: Stores, change: Callable[[SqlSessionStore, int], Session]
) -> None:
    """Hub and portal note changes side by side; one may be late by a moment."""
    slow = stores.begin("slow", NOW - 60)
    stores.begin("quick", NOW + 60)
    before = stores.stamp()
    change(stores.sessions, slow.id)
    assert stores.stamp() != before


def test_what_changes_nothing_is_not_told(stores: Stores) -> None:
    session = stores.begin("one", NOW)
    stores.sessions.reached(session.id, Phase.NODE, NOW)
    before = stores.stamp()
    stores.sessions.reached(session.id, Phase.NODE, NOW + 5)
    assert stores.stamp() == before


def test_nobody_is_told_of_another_person_s_sessions(stores: Stores) -> None:
    stores.begin("one", NOW)
    assert stores.sessions.stamps(["bob"]) == {}
    assert stores.sessions.stamps([]) == {}
