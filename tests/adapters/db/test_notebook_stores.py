"""Notebooks and their sessions, on SQLite and PostgreSQL, under races."""

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import pytest
from sqlalchemy import Engine, text

from kqi_hub.db import schema
from kqi_hub.db.engine import reading, writing
from kqi_hub.db.notebook_sessions import SqlSessionStore
from kqi_hub.db.notebooks import SqlNotebookStore
from kqi_hub.domain.errors import Conflict, NotFound
from kqi_hub.domain.filters import Part, Span
from kqi_hub.domain.notebook_list import (
    NotebookColumn,
    NotebookFilter,
    Status,
    status_of,
)
from kqi_hub.domain.notebook_ports import SessionEnd
from kqi_hub.domain.notebooks import (
    Cause,
    Choices,
    Notebook,
    Phase,
    Repository,
    Session,
    Shape,
    Ui,
)

NOW = 1_795_000_000.0
PLAIN = Choices("first", "vision", "jupyter")
FULL = Choices(
    name="full-2",
    tenant="vision",
    queue="a100",
    shape=Shape(8, 65_536, 2, "a100"),
    lifetime_s=None,
    preset="day",
    ui=Ui.NOTEBOOK,
    environment="torch",
    repository=Repository("https://git.example.org/a/b.git", "main"),
    variables=(("A", "1"), ("B", "two\nlines")),
    command="pip install x\necho 'done'",
    memo="for the paper",
    may_push=True,
)
ODD = ["a'b", "a\nb", "\0", "\ud800", "é" * 200, '"; DROP TABLE notebooks; --', ""]
BY_QUEUE = NotebookColumn.QUEUE
T = TypeVar("T")


@pytest.fixture
def ready(engine: Engine) -> Engine:
    schema.upgrade(engine)
    return engine


@pytest.fixture
def notebooks(ready: Engine) -> SqlNotebookStore:
    return SqlNotebookStore(ready)


@pytest.fixture
def sessions(ready: Engine) -> SqlSessionStore:
    return SqlSessionStore(ready, lambda: NOW + 1000)


@pytest.fixture
def notebook(notebooks: SqlNotebookStore) -> Notebook:
    return notebooks.create("alice", PLAIN, NOW)


@pytest.fixture
def session(sessions: SqlSessionStore, notebook: Notebook) -> Session:
    return sessions.ask(notebook.id, PLAIN, "key", NOW)


def at_once(count: int, work: Callable[[int], T]) -> list[T]:
    """Do the same from many threads at the same moment; return what worked."""
    start = threading.Barrier(count)
    done: list[T] = []

    def run(number: int) -> None:
        start.wait()
        try:
            done.append(work(number))
        except (Conflict, NotFound):
            return

    threads = [threading.Thread(target=run, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return done


@pytest.mark.parametrize("choices", [PLAIN, FULL])
def test_a_notebook_comes_back_as_it_was_created(
    notebooks: SqlNotebookStore, choices: Choices
) -> None:
    made = notebooks.create("alice", choices, NOW)
    assert notebooks.one(made.id) == made
    assert made.choices == choices
    assert notebooks.one(made.id + 1) is None


@pytest.mark.parametrize("odd_text", ODD)
def test_odd_text_is_kept_and_does_no_harm(
    notebooks: SqlNotebookStore, odd_text: str
) -> None:
    said = odd_text
    odd = replace(FULL, name=said, memo=said, command=said, variables=((said, said),))
    made = notebooks.create("alice", odd, NOW)
    assert notebooks.one(made.id) == made
    found, count = notebooks.search(NotebookFilter(owner="alice", memo=Part(said)))
    assert (found, count) == ((made,), 1)


def test_a_name_is_a_persons_own(notebooks: SqlNotebookStore) -> None:
    first = notebooks.create("alice", PLAIN, NOW)
    assert notebooks.create("bob", PLAIN, NOW).id != first.id
    with pytest.raises(Conflict, match="first"):
        notebooks.create("alice", PLAIN, NOW)
    other = notebooks.create("alice", FULL, NOW)
    with pytest.raises(Conflict, match="first"):
        notebooks.change(other.id, replace(FULL, name="first"), NOW, NOW)


def test_pages_have_favourites_first_then_the_newest(
    notebooks: SqlNotebookStore,
) -> None:
    made = [notebooks.create("alice", replace(PLAIN, name=f"n{i}"), NOW) for i in "123"]
    notebooks.create("bob", PLAIN, NOW)
    ids = [one.id for one in made]
    notebooks.set_favourite(ids[0], True)
    wanted = [ids[0], ids[2], ids[1]]
    assert [one.id for one in notebooks.page("alice")] == wanted
    for number, last in enumerate(wanted):
        rest = notebooks.page("alice", before=last)
        assert [one.id for one in rest] == wanted[number + 1 :]
    assert [one.id for one in notebooks.page("alice", limit=2)] == wanted[:2]
    assert notebooks.count("alice") == 3
    notebooks.set_favourite(ids[0], False)
    assert notebooks.page("alice")[0].id == ids[2]


def test_a_notebook_has_its_latest_session(
    notebooks: SqlNotebookStore, sessions: SqlSessionStore, notebook: Notebook
) -> None:
    first = sessions.ask(notebook.id, PLAIN, "k1", NOW)
    sessions.ended(first.id, SessionEnd(NOW + 1, Cause.IDLE))
    second = sessions.ask(notebook.id, FULL, "k2", NOW + 2)
    [found] = notebooks.page("alice")
    assert found.session == second
    assert found.is_live
    history = notebooks.sessions(notebook.id)
    assert [one.id for one in history] == [second.id, first.id]
    assert notebooks.sessions(notebook.id, 1) == (second,)


def test_a_change_after_another_one_is_a_conflict(
    notebooks: SqlNotebookStore, notebook: Notebook
) -> None:
    mine = replace(PLAIN, memo="mine")
    changed = notebooks.change(notebook.id, mine, notebook.changed_at, NOW)
    assert changed.choices == mine
    assert changed.changed_at > notebook.changed_at
    with pytest.raises(Conflict, match="meanwhile"):
        notebooks.change(notebook.id, PLAIN, notebook.changed_at, NOW)
    with pytest.raises(NotFound):
        notebooks.change(notebook.id + 1, PLAIN, NOW, NOW)


def test_of_20_changes_at_once_one_is_made(
    notebooks: SqlNotebookStore, notebook: Notebook
) -> None:
    def change(number: int) -> Notebook:
        memo = replace(PLAIN, memo=str(number))
        return notebooks.change(notebook.id, memo, notebook.changed_at, NOW + number)

    [made] = at_once(20, change)
    assert notebooks.one(notebook.id) == made


def test_a_live_notebook_is_not_deleted_and_a_dead_one_goes_whole(
    notebooks: SqlNotebookStore, sessions: SqlSessionStore, session: Session
) -> None:
    with pytest.raises(Conflict, match="Stop it first"):
        notebooks.delete(session.notebook_id)
    sessions.ended(session.id, SessionEnd(NOW, Cause.STOPPED))
    notebooks.delete(session.notebook_id)
    assert notebooks.one(session.notebook_id) is None
    assert sessions.one(session.id) is None
    with pytest.raises(NotFound):
        notebooks.delete(session.notebook_id)
    again = notebooks.create("alice", PLAIN, NOW)
    assert again.id > session.notebook_id, "a number never comes back"


def test_nothing_is_marked_or_started_that_is_not_there(
    notebooks: SqlNotebookStore, sessions: SqlSessionStore
) -> None:
    with pytest.raises(NotFound):
        notebooks.set_favourite(1, True)
    with pytest.raises(NotFound):
        sessions.ask(1, PLAIN, "key", NOW)
    with pytest.raises(NotFound):
        sessions.reached(1, Phase.NODE, NOW)


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (NotebookFilter(), ["e", "d", "c", "b", "a"]),
        (NotebookFilter(owner="alice"), ["d", "c", "b", "a"]),
        (NotebookFilter(tenants=("nlp",)), ["d"]),
        (NotebookFilter(name=Part("A")), ["a"]),
        (
            NotebookFilter(name=Part("a", is_refused=True), owner="alice"),
            ["d", "c", "b"],
        ),
        (NotebookFilter(memo=Part("100%")), ["b"]),
        (NotebookFilter(memo=Part("_")), []),
        (NotebookFilter(status=Part("run")), ["c"]),
        (NotebookFilter(status=Part("new")), ["e", "d", "a"]),
        (NotebookFilter(status=Part("n", is_refused=True)), ["b"]),
        (NotebookFilter(status=Part("idle")), ["b"]),
        (NotebookFilter(is_live=True), ["c"]),
        (NotebookFilter(is_live=False), ["e", "d", "b", "a"]),
        (NotebookFilter(is_favourite=True), []),
        (NotebookFilter(limit=2, offset=1), ["d", "c"]),
        (NotebookFilter(tenants=()), []),
        (NotebookFilter(id=Span(2, 4)), ["c", "b"]),
        (NotebookFilter(created_at=Span(at_least=NOW + 3)), ["e", "d"]),
        (NotebookFilter(created_at=Span(below=NOW + 1)), ["a"]),
        (NotebookFilter(created_by=Part("BO")), ["e"]),
        (NotebookFilter(created_by=Part("bo", is_refused=True)), ["d", "c", "b", "a"]),
        (NotebookFilter(memo=Part("100", is_refused=True)), ["e", "d", "c", "a"]),
        (NotebookFilter(queue=Part("A100")), ["d"]),
        (NotebookFilter(queue=Part("%")), []),
        (NotebookFilter(sort=BY_QUEUE, is_descending=False), ["d", "a", "b", "c", "e"]),
        (NotebookFilter(sort=NotebookColumn.NAME), ["e", "d", "c", "b", "a"]),
        (NotebookFilter(name=Part("' OR 1=1 --")), []),
    ],
)
def test_a_filter_lets_through_what_it_asks_for(
    notebooks: SqlNotebookStore,
    sessions: SqlSessionStore,
    wanted: NotebookFilter,
    names: list[str],
) -> None:
    made = {
        name: notebooks.create("alice", replace(PLAIN, name=name), NOW + after)
        for after, name in enumerate("abc")
    }
    elsewhere = replace(PLAIN, name="d", tenant="nlp", queue="a100")
    notebooks.create("alice", elsewhere, NOW + 3)
    notebooks.create("bob", replace(PLAIN, name="e"), NOW + 4)
    noted = replace(PLAIN, name="b", memo="100% x")
    notebooks.change(made["b"].id, noted, NOW + 1, NOW + 1)
    idle = sessions.ask(made["b"].id, PLAIN, "k1", NOW)
    sessions.ended(idle.id, SessionEnd(NOW, Cause.IDLE))
    runs = sessions.ask(made["c"].id, PLAIN, "k2", NOW)
    sessions.reached(runs.id, Phase.READY, NOW)
    found, count = notebooks.search(wanted)
    assert [one.choices.name for one in found] == names
    assert count == (5 if wanted.offset else len(names))


def test_a_changed_queue_is_found_and_favourites_stay_first(
    notebooks: SqlNotebookStore,
) -> None:
    first, second = (notebooks.create("alice", one, NOW) for one in (PLAIN, FULL))
    notebooks.change(first.id, replace(PLAIN, queue="v100"), NOW, NOW)
    notebooks.set_favourite(first.id, True)
    found, _ = notebooks.search(NotebookFilter(queue=Part("v1")))
    assert [one.id for one in found] == [first.id]
    for order in (True, False):
        wanted = NotebookFilter(sort=BY_QUEUE, is_descending=order)
        assert [one.id for one in notebooks.search(wanted)[0]] == [first.id, second.id]


def test_those_from_before_are_found_by_their_queue(engine: Engine) -> None:
    schema.upgrade(engine, "0023")
    choices = json.dumps({"name": "old", "queue": "jupyter"})
    with writing(engine) as connection:
        connection.execute(
            text(
                "INSERT INTO notebooks (owner, name, tenant, memo, choices, created_at,"
                " changed_at, is_favourite) VALUES"
                " ('alice', 'old', 'vision', '', :choices, 1, 1, false)"
            ),
            {"choices": choices},
        )
    schema.upgrade(engine)
    with reading(engine) as connection:
        assert connection.scalar(text("SELECT queue FROM notebooks")) == "jupyter"


STEPS: list[tuple[str, Callable[[SqlSessionStore, int], Session]]] = [
    (Status.WAITING, lambda store, i: store.submitted(i, 7, NOW)),
    (Status.STARTING, lambda store, i: store.reached(i, Phase.NODE, NOW)),
    (Status.STARTING, lambda store, i: store.reached(i, Phase.SERVER, NOW)),
    (Status.RUNNING, lambda store, i: store.reached(i, Phase.READY, NOW)),
    (Status.STOPPING, lambda store, i: store.stopping(i, Cause.IDLE, NOW)),
    (
        Cause.IDLE,
        lambda store, i: store.ended(i, SessionEnd(NOW, Cause.KILLED)),
    ),
]


def test_filter_and_view_agree_on_the_status(
    notebooks: SqlNotebookStore, sessions: SqlSessionStore, session: Session
) -> None:
    for word, tell in STEPS:
        assert status_of(tell(sessions, session.id)) == word
        found, _ = notebooks.search(NotebookFilter(status=Part(word)))
        assert [one.id for one in found] == [session.notebook_id], word


def test_of_20_starts_at_once_exactly_one_session_lives(
    sessions: SqlSessionStore, notebook: Notebook
) -> None:
    def start(number: int) -> Session:
        return sessions.ask(notebook.id, PLAIN, f"k{number}", NOW)

    assert tuple(at_once(20, start)) == sessions.live()
    assert len(sessions.live("alice")) == 1
    assert sessions.live("bob") == ()


def test_of_starts_and_deletes_at_once_nothing_is_left_half(
    notebooks: SqlNotebookStore, sessions: SqlSessionStore
) -> None:
    for round_ in range(10):
        made = notebooks.create("alice", replace(PLAIN, name=f"n{round_}"), NOW)

        def work(number: int, made: Notebook = made) -> str:
            if number % 2:
                notebooks.delete(made.id)
                return "deleted"
            sessions.ask(made.id, PLAIN, f"{made.id}-{number}", NOW)
            return "started"

        [what] = at_once(6, work)
        assert (notebooks.one(made.id) is not None) is (what == "started")


def test_the_port_that_was_told_first_stays_until_its_server_is_placed(
    sessions: SqlSessionStore, session: Session
) -> None:
    sessions.heard_port(session.id, 40_000, NOW + 1)
    told = sessions.heard_port(session.id, 40_001, NOW + 2)
    assert (told.node, told.port, told.changed_at) == ("", 40_000, NOW + 1)


def test_a_session_goes_through_its_phases(
    sessions: SqlSessionStore, session: Session
) -> None:
    assert session.phase is Phase.ASKED
    sessions.submitted(session.id, 41, NOW + 1)
    assert sessions.submitted(session.id, 42, NOW + 2).job_id == 41
    sessions.reached(session.id, Phase.NODE, NOW + 3)
    sessions.reached(session.id, Phase.NODE, NOW + 9)
    sessions.reached(session.id, Phase.ASKED, NOW + 9)
    placed = sessions.placed(session.id, "c1", 40_000, NOW + 4)
    assert (placed.node, placed.port) == ("c1", 40_000)
    ready = sessions.reached(session.id, Phase.READY, NOW + 5)
    assert ready.is_ready
    assert dict(ready.reached) == {
        Phase.ASKED: NOW,
        Phase.QUEUED: NOW + 1,
        Phase.NODE: NOW + 3,
        Phase.READY: NOW + 5,
    }
    assert sessions.live_of_server("alice", session.notebook_id) == ready
    assert sessions.live_of_server("bob", session.notebook_id) is None


def test_what_is_told_twice_is_no_change(
    sessions: SqlSessionStore, session: Session
) -> None:
    tells: list[Callable[[float], Session]] = [
        lambda at: sessions.submitted(session.id, 41, at),
        lambda at: sessions.reached(session.id, Phase.NODE, at),
        lambda at: sessions.placed(session.id, "c1", 40_000, at),
        lambda at: sessions.stopping(session.id, Cause.IDLE, at),
    ]
    for tell in tells:
        assert tell(NOW + 1) == tell(NOW + 50)


def test_the_first_cause_wins_even_told_at_once(
    sessions: SqlSessionStore, session: Session
) -> None:
    causes = list(Cause)
    found = at_once(
        len(causes), lambda n: sessions.stopping(session.id, causes[n], NOW)
    )
    assert len({one.stopping for one in found}) == 1
    ended = sessions.ended(session.id, SessionEnd(NOW, Cause.KILLED, exit_code=9))
    assert ended.cause is found[0].stopping
    assert ended.exit_code == 9


def test_an_end_is_final_even_told_at_once(
    notebooks: SqlNotebookStore, sessions: SqlSessionStore, session: Session
) -> None:
    causes = list(Cause)

    def end(number: int) -> Session:
        told = SessionEnd(NOW + number, causes[number], f"d{number}", number)
        return sessions.ended(session.id, told)

    ends = at_once(len(causes), end)
    assert len(set(ends)) == 1
    [is_over] = set(ends)
    for tell in (
        sessions.submitted(session.id, 5, NOW),
        sessions.reached(session.id, Phase.READY, NOW),
        sessions.placed(session.id, "c1", 1025, NOW),
        sessions.stopping(session.id, Cause.LOST, NOW),
    ):
        assert tell == is_over == sessions.one(session.id)
    assert sessions.live() == ()
    assert notebooks.sessions(session.notebook_id) == (is_over,)


def test_what_the_idle_rule_saw_is_kept(
    sessions: SqlSessionStore, session: Session
) -> None:
    seen = (("kernels_busy", 0), ("connections", 2))
    ended = sessions.ended(session.id, SessionEnd(NOW, Cause.IDLE, "d", None, seen))
    assert ended.seen == seen


def test_changes_are_found_by_time_and_person(
    sessions: SqlSessionStore, session: Session
) -> None:
    assert sessions.changed_since(NOW) == (session,)
    assert sessions.changed_since(NOW + 1) == ()
    assert sessions.changed_since(NOW, ["alice", "bob"]) == (session,)
    assert sessions.changed_since(NOW, ["bob"]) == ()
    late = sessions.ended(session.id, SessionEnd(NOW - 100, Cause.LOST))
    assert late.ended_at == NOW - 100
    assert sessions.changed_since(NOW + 500) == (late,), "the end is told when noted"
