"""Lists of runs on both databases: what filters let through, in order, in pages."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import (
    Engine,
    MetaData,
    String,
    Table,
    event,
    insert,
    select,
    update,
)

from kqi_hub.db import run_search, schema
from kqi_hub.db.datasets import SqlDatasetStore
from kqi_hub.db.engine import make_engine, reading, writing
from kqi_hub.db.list_plans import plan_for_lists
from kqi_hub.db.run_asking import add_runs
from kqi_hub.db.run_rows import WORDS
from kqi_hub.db.runs import SqlRunStore
from kqi_hub.domain.datasets import NewDataset
from kqi_hub.domain.filters import Part, Span, TagRule
from kqi_hub.domain.notebooks import Shape
from kqi_hub.domain.run_list import RunColumn, RunFilter
from kqi_hub.domain.run_ports import Collected, NewRun
from kqi_hub.domain.runs import LIVE, Parent, RunChange, RunKind, RunSpec, RunState

NOW = 1_795_000_000.0
TRAINING, INFERENCE = RunKind.TRAINING, RunKind.INFERENCE
PLAIN = RunSpec("first", "vision", "cpu", "python train.py", tags=("b", "a"))
OTHER = RunSpec(
    "four",
    "nlp",
    "a100",
    "true",
    Shape(8),
    memo="for the paper of the école: 機械の学習を 50%",
)


@pytest.fixture
def runs(engine: Engine) -> SqlRunStore:
    """Store trainings 1, 3 and 4, and inference 2 on training 1."""
    schema.upgrade(engine)
    new = NewDataset("vision", "signs", "", False, ())
    dataset = SqlDatasetStore(engine).create(new, "mia", NOW).id
    store = SqlRunStore(engine)
    first = store.ask(NewRun(TRAINING, "mia", "k1", PLAIN), NOW)
    store.collected(first.id, Collected(RunState.COMPLETED, "0.5"), NOW + 1)
    store.change(first.id, RunChange(is_favourite=True), NOW + 1)
    child = replace(PLAIN, name="infer", parents=(Parent(TRAINING, first.id),))
    store.ask(NewRun(INFERENCE, "mia", "k2", child), NOW + 1)
    second = replace(
        PLAIN,
        name="second",
        command="python train.py --lr 3",
        dataset=dataset,
        tags=("a", "c"),
    )
    store.ask(NewRun(TRAINING, "mia", "k3", second), NOW + 2)
    store.ask(NewRun(TRAINING, "max", "k4", OTHER), NOW + 3)
    return store


CONDITIONS: list[tuple[dict[str, Any], list[int]]] = [
    ({}, [4, 3, 1]),
    ({"kind": INFERENCE}, [2]),
    ({"tenants": ("vision",)}, [3, 1]),
    ({"tenants": ()}, []),
    ({"id": Span(2, 4)}, [3]),
    ({"name": Part("SEC")}, [3]),
    ({"name": Part("sec", is_refused=True)}, [4, 1]),
    ({"name": Part("100%")}, []),
    ({"memo": Part("paper")}, [4]),
    ({"command": Part("lr 3")}, [3]),
    ({"owner": Part("max")}, [4]),
    ({"queue": Part("a100")}, [4]),
    ({"asked_at": Span(NOW + 2, None)}, [4, 3]),
    ({"states": frozenset({RunState.COMPLETED})}, [1]),
    ({"states": LIVE}, [4, 3]),
    ({"states": LIVE | {RunState.COMPLETED}}, [4, 3, 1]),
    ({"states": frozenset({RunState.RUNNING})}, []),
    ({"tags": TagRule(("a",))}, [3, 1]),
    ({"tags": TagRule(("a",), ("c",))}, [1]),
    ({"is_favourite": True}, [1]),
    ({"is_favourite": False}, [4, 3]),
    ({"name": Part("F")}, [4, 1]),
    ({"name": Part("IR")}, [1]),
    ({"memo": Part("ÉCOLE")}, [4]),
    ({"memo": Part("école")}, [4]),
    ({"memo": Part("é")}, [4]),
    ({"memo": Part("É")}, [4]),
    ({"memo": Part("É", is_refused=True)}, [3, 1]),
    ({"memo": Part("L'ÉCOLE", is_refused=True)}, [4, 3, 1]),
    ({"memo": Part("É", is_refused=True), "sort": RunColumn.NAME}, [3, 1]),
    ({"memo": Part("学習")}, [4]),
    ({"memo": Part("の学習を")}, [4]),
    ({"memo": Part("50%")}, [4]),
    ({"memo": Part("0_%")}, []),
    ({"dataset": Part("sig")}, [3]),
    ({"dataset": Part("sig", is_refused=True)}, [4, 1]),
    ({"kind": INFERENCE, "parent_id": Span(1, 2)}, [2]),
    ({"kind": INFERENCE, "parent_id": Span(2, 3)}, []),
    ({"kind": INFERENCE, "parent_name": Part("irs")}, [2]),
    ({"kind": INFERENCE, "parent_name": Part("irs", is_refused=True)}, []),
    ({"sort": RunColumn.NAME, "is_descending": False}, [1, 4, 3]),
    ({"sort": RunColumn.VALUE, "is_descending": True}, [1, 4, 3]),
    ({"sort": RunColumn.ENDED_AT, "is_descending": False}, [1, 3, 4]),
    ({"sort": RunColumn.OWNER, "is_descending": True}, [3, 1, 4]),
]


@pytest.mark.parametrize(("wanted", "expected"), CONDITIONS)
def test_lists_have_what_a_filter_lets_through_in_order(
    runs: SqlRunStore, wanted: dict[str, Any], expected: list[int]
) -> None:
    asked = RunFilter(**{"kind": TRAINING, "tenants": None, **wanted})
    found, total = runs.search(asked)
    assert [one.id for one in found] == expected
    assert total == len(expected)


# What patterns, LIKE, SQL or a database's text could take for something else; and
# letters whose other case is none, two, or one of English.
HOSTILE = [
    "%", "_", "/", "\\", "é.*", "[é]", "É(", "(?i)É", "***=é", "^é$", "é{2}", "é|a",
    "'é\"; DROP TABLE runs; --", "é\nÉ", "é\0", "\ud800é", "\x1a", "é\x1a0000",
    "straße", "ẞ", "İé", "ıé", "\u212aé", "σς", "ﬁé", "e\u0301É", "\uff21\uff42", "Ǆ",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("sort", [RunColumn.ID, RunColumn.NAME])
@pytest.mark.parametrize("place", ["memo", "name"])
def test_hostile_words_find_what_has_them_and_nothing_else(
    runs: SqlRunStore, text: str, sort: RunColumn, place: str
) -> None:
    written: dict[str, Any] = {place: f"before {text} behind"}
    runs.change(1, RunChange(**written), NOW + 9)
    for typed in (text, text.swapcase() if text.isascii() else text):
        part: dict[str, Any] = {place: Part(typed)}
        wanted = RunFilter(TRAINING, None, **part, sort=sort)
        found, total = runs.search(wanted)
        expected = {1, 4} if (typed, place) == ("%", "memo") else {1}
        assert {one.id for one in found} == expected
        assert total == len(expected)
        part = {place: Part(typed, is_refused=True)}
        refused = replace(wanted, **part)
        assert {one.id for one in runs.search(refused)[0]} == {1, 3, 4} - expected


@pytest.mark.parametrize("text", ["é" * 1000, "привет" * 160, "[É" * 500])
def test_as_long_a_word_as_may_be_typed_is_found(runs: SqlRunStore, text: str) -> None:
    runs.change(1, RunChange(memo=text), NOW + 9)
    found, total = runs.search(RunFilter(TRAINING, None, memo=Part(text)))
    assert [one.id for one in found] == [1]
    assert total == 1


@pytest.mark.parametrize(
    ("written", "typed"),
    [
        ("ÉCOLE", "école"),
        ("новый Привет", "НОВЫЙ привет"),
        ("ΟΔΟΣ", "οδος"),
        ("οδος", "ΟΔΟΣ"),
        ("\uff34\uff52\uff41", "\uff54\uff32\uff21"),
    ],
)
def test_letters_of_all_languages_are_found_in_any_case(
    runs: SqlRunStore, written: str, typed: str
) -> None:
    spec = replace(PLAIN, memo=written, command=written)
    asked = runs.ask(NewRun(TRAINING, "mia", "k9", spec), NOW)
    for part in (typed, typed[:1]):
        for place in ("memo", "command"):
            wanted: dict[str, Any] = {place: Part(part)}
            found, _ = runs.search(RunFilter(TRAINING, None, **wanted))
            assert asked.id in {one.id for one in found}


def test_postgresql_finds_names_in_any_case_of_any_language(
    postgresql_url: str,
) -> None:
    engine = make_engine(postgresql_url)
    schema.upgrade(engine)
    store = SqlRunStore(engine)
    store.ask(NewRun(TRAINING, "mia", "k1", replace(PLAIN, name="ÉCOLE")), NOW)
    for typed in ("école", "É", "é"):
        assert store.search(RunFilter(TRAINING, None, name=Part(typed)))[1] == 1
    engine.dispose()


def test_runs_of_before_are_found_by_their_words(engine: Engine) -> None:
    schema.upgrade(engine, "0023")
    plain = {"kind": "training", "tenant": "vision", "state": "completed"}
    texts = {"memo": "L'ÉCOLE \x1ad800", "command": "python TRAIN.py"}
    with engine.begin() as connection:
        runs = Table("runs", MetaData(), autoload_with=connection)
        needed = {
            one.name: "" if isinstance(one.type, String) else 0
            for one in runs.c
            if not one.nullable and one.name != "number"
        }
        # More than are moved at once.
        rows = [needed | plain | texts | {"key": f"k{at}"} for at in range(2001)]
        connection.execute(insert(runs), rows)
        connection.execute(
            update(runs).where(runs.c.number.in_([1, 3])).values(name="ÉCOLE")
        )
        parents = Table("run_parents", MetaData(), autoload_with=connection)
        pairs = [(2000, 3), (2000, 1), (5, 1)]
        connection.execute(
            insert(parents), [{"run": run, "parent": one} for run, one in pairs]
        )
    schema.upgrade(engine, "0024")
    with reading(engine) as connection:
        words = connection.execute(select(WORDS)).all()
    assert len(words) == 2001
    assert {one.number for one in words} == set(range(1, 2002))
    assert {one[1:5] for one in words} == {
        ("training", "vision", "l'école \ud800", "python train.py")
    }
    named = {one.number: one.parents for one in words if one.parents}
    assert named == {5: "école", 2000: "école\nécole"}


def test_a_parent_is_found_by_what_it_is_called_now(runs: SqlRunStore) -> None:
    parents = (Parent(TRAINING, 1), Parent(TRAINING, 3))
    child = runs.ask(
        NewRun(TRAINING, "mia", "k9", replace(PLAIN, parents=parents)), NOW
    ).id

    def found(text: str, *, is_refused: bool = False) -> set[int]:
        part = Part(text, is_refused)
        return {
            one.id
            for one in runs.search(RunFilter(TRAINING, None, parent_name=part))[0]
        }

    assert found("FIRST") == found("second") == {child}
    assert found("second", is_refused=True) == {1, 3, 4}
    runs.change(3, RunChange(name="Zweite"), NOW + 9)
    assert found("second") == set()
    assert found("zweite") == found("first") == {child}
    # Two names are not one text.
    assert found("tzweite") == set()
    assert runs.search(RunFilter(INFERENCE, None, parent_name=Part("first")))[1] == 1


def test_a_parent_that_is_renamed_while_a_child_is_asked_for_is_found(
    runs: SqlRunStore, engine: Engine
) -> None:
    spec = replace(PLAIN, parents=(Parent(TRAINING, 1),))
    with ThreadPoolExecutor() as pool:
        with writing(engine) as connection:
            [child] = add_runs(connection, [NewRun(TRAINING, "mia", "k9", spec)], NOW)
            renaming = pool.submit(
                runs.change, 1, RunChange(name="renamed meanwhile"), NOW + 9
            )
            with pytest.raises(TimeoutError):
                renaming.result(timeout=0.5)
        renaming.result()
    wanted = RunFilter(TRAINING, None, parent_name=Part("meanwhile"))
    assert [one.id for one in runs.search(wanted)[0]] == [child]


def test_plans_of_lists_end_with_their_transaction(postgresql_url: str) -> None:
    def cost() -> str:
        return str(connection.exec_driver_sql("SHOW random_page_cost").scalar())

    engine = make_engine(postgresql_url)
    with engine.connect() as connection:
        with connection.begin():
            usual = cost()
            plan_for_lists(connection)
            assert cost() == "1.1" != usual
        assert cost() == usual
    engine.dispose()


def test_a_memo_is_found_as_it_is_now(runs: SqlRunStore) -> None:
    wanted = RunFilter(TRAINING, None, memo=Part("new words"))
    assert runs.search(wanted) == ((), 0)
    runs.change(1, RunChange(memo="NEW words"), NOW + 9)
    found, total = runs.search(wanted)
    assert ([one.id for one in found], total) == ([1], 1)
    assert found[0].memo == "NEW words"
    runs.change(1, RunChange(memo=""), NOW + 10)
    assert runs.search(wanted) == ((), 0)


@pytest.mark.parametrize("is_descending", [True, False])
def test_pages_by_name_of_words_that_very_many_have_are_the_same(
    runs: SqlRunStore, is_descending: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = RunFilter(
        TRAINING,
        None,
        command=Part("r"),
        sort=RunColumn.NAME,
        is_descending=is_descending,
        limit=1,
    )
    pages = [replace(wanted, offset=offset) for offset in range(5)]
    as_few = [runs.search(page) for page in pages]
    monkeypatch.setattr(run_search, "_MANY", 0)
    assert [runs.search(page) for page in pages] == as_few
    assert [total for _, total in as_few] == [3] * 5


@pytest.mark.parametrize("sort", [one for one in RunColumn if one is not RunColumn.ID])
@pytest.mark.parametrize("is_descending", [True, False])
def test_pages_of_a_search_are_parts_of_one_list_however_it_is_sorted(
    runs: SqlRunStore, sort: RunColumn, is_descending: bool
) -> None:
    wanted = RunFilter(
        TRAINING, None, command=Part("r"), sort=sort, is_descending=is_descending
    )
    everything = [one.id for one in runs.search(wanted)[0]]
    assert sorted(everything) == [1, 3, 4]
    for offset in range(4):
        found, total = runs.search(replace(wanted, limit=1, offset=offset))
        assert [one.id for one in found] == everything[offset : offset + 1]
        assert total == 3


@pytest.mark.parametrize(("limit", "offset"), [(2, 0), (2, 2), (3, 0), (2, 4), (2, 3)])
def test_a_page_says_how_many_there_are(
    runs: SqlRunStore, limit: int, offset: int
) -> None:
    wanted = RunFilter(TRAINING, None, limit=limit, offset=offset)
    found, total = runs.search(wanted)
    assert [one.id for one in found] == [4, 3, 1][offset : offset + limit]
    assert total == 3


@pytest.mark.parametrize(
    ("refused", "expected"),
    [
        ({"name": "sec"}, [4, 1]),
        ({"name": "E"}, [4, 1]),
        ({"owner": "max"}, [3, 1]),
        ({"memo": "paper", "name": "sec"}, [1]),
        ({"command": "lr 3"}, [4, 1]),
        ({"dataset": "sig"}, [4, 1]),
        ({"dataset": "sig", "owner": "max"}, [1]),
        ({"dataset": "nothing"}, [4, 3, 1]),
        ({"kind": INFERENCE, "parent_name": "irs"}, []),
        ({"kind": INFERENCE, "parent_name": "sec"}, [2]),
    ],
)
@pytest.mark.parametrize("limit", [1, 2, 100])
def test_what_is_refused_is_counted_whatever_a_page_shows(
    runs: SqlRunStore, refused: dict[str, Any], expected: list[int], limit: int
) -> None:
    kind = refused.get("kind", TRAINING)
    parts: dict[str, Any] = {
        name: Part(text, is_refused=True)
        for name, text in refused.items()
        if name != "kind"
    }
    found, total = runs.search(RunFilter(kind, None, limit=limit, **parts))
    assert [one.id for one in found] == expected[:limit]
    assert total == len(expected)


@pytest.fixture
def valued(engine: Engine) -> SqlRunStore:
    """Store trainings with values, some twice, and some without: 1 to 8."""
    schema.upgrade(engine)
    store = SqlRunStore(engine)
    for at, value in enumerate(("0.5", "", "9", "0.5", "10", "-1", "none", "")):
        tenant = "nlp" if at == 4 else "vision"
        run = store.ask(NewRun(TRAINING, "mia", f"v{at}", spec_of(at, tenant)), NOW)
        if at < 7:
            store.collected(run.id, Collected(RunState.COMPLETED, value), NOW + 1)
    return store


def spec_of(at: int, tenant: str) -> RunSpec:
    tags = [tag for tag, each in (("two", 2), ("three", 3)) if at % each == 0]
    return replace(PLAIN, tenant=tenant, tags=tuple(tags))


@pytest.mark.parametrize("name", ["", "fir"], ids=["all", "found by name"])
@pytest.mark.parametrize(
    ("is_descending", "expected"),
    [(True, [3, 4, 1, 6, 8, 7, 2]), (False, [6, 1, 4, 3, 2, 7, 8])],
)
def test_pages_by_value_are_parts_of_one_list_whose_end_has_no_values(
    valued: SqlRunStore, name: str, is_descending: bool, expected: list[int]
) -> None:
    wanted = RunFilter(
        TRAINING,
        ("vision",),
        name=Part(name),
        sort=RunColumn.VALUE,
        is_descending=is_descending,
    )
    for limit in range(1, 9):
        for offset in range(9):
            page = replace(wanted, limit=limit, offset=offset)
            found, total = valued.search(page)
            assert [one.id for one in found] == expected[offset : offset + limit]
            assert total == len(expected)


@pytest.mark.parametrize(
    ("sort", "index"),
    [(RunColumn.VALUE, "ix_runs_values"), (RunColumn.NAME, "ix_runs_names")],
)
def test_both_databases_read_sorted_pages_out_of_an_index(
    valued: SqlRunStore, engine: Engine, sort: RunColumn, index: str
) -> None:
    asked: list[tuple[str, Any]] = []
    event.listen(
        engine, "before_cursor_execute", lambda *said: asked.append((said[2], said[3]))
    )
    valued.search(RunFilter(TRAINING, ("vision",), sort=sort, limit=1))
    [page] = [one for one in asked if "ORDER BY" in one[0]]
    with reading(engine) as connection:
        explain = "EXPLAIN QUERY PLAN "
        if engine.dialect.name == "postgresql":
            # Of eight rows it would read all: how it reads many is to be seen.
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            connection.exec_driver_sql("SET LOCAL enable_sort = off")
            explain = "EXPLAIN "
        rows = connection.exec_driver_sql(explain + page[0], page[1]).all()
    plan = "\n".join(str(row) for row in rows)
    assert index in plan
    assert "TEMP B-TREE" not in plan
    assert "Sort" not in plan


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (TagRule((), ("two",)), [8, 6, 4, 2]),
        (TagRule((), ("two", "three")), [8, 6, 2]),
        (TagRule(("two",), ("three",)), [5, 3]),
        (TagRule((), ("nowhere",)), [8, 7, 6, 5, 4, 3, 2, 1]),
    ],
)
@pytest.mark.parametrize("limit", [1, 2, 100])
def test_runs_without_a_tag_are_counted_whatever_a_page_shows_of_them(
    valued: SqlRunStore, tags: TagRule, expected: list[int], limit: int
) -> None:
    found, total = valued.search(RunFilter(TRAINING, None, tags=tags, limit=limit))
    assert [one.id for one in found] == expected[:limit]
    assert total == len(expected)
