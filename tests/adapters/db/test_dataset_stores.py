"""Datasets in the database: entries, pages, filters, types, edits at once."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine

from kqi_hub.db import schema
from kqi_hub.db.data_blockers import DatasetUsers, SqlBlockers
from kqi_hub.db.data_items import SqlDataStore
from kqi_hub.db.datasets import SqlDatasetStore
from kqi_hub.db.engine import writing
from kqi_hub.db.uploads import SqlUploadStore
from kqi_hub.db.uses import SqlUseStore
from kqi_hub.domain.data import (
    USUAL_TYPES,
    Dataset,
    DataState,
    Kind,
    Placed,
    Thing,
    Use,
)
from kqi_hub.domain.data_errors import Blocked
from kqi_hub.domain.dataset_list import DatasetColumn, DatasetFilter
from kqi_hub.domain.dataset_ports import Blocker, Seen, Why
from kqi_hub.domain.datasets import NewDataset
from kqi_hub.domain.errors import Conflict, InvalidInput, NotFound
from kqi_hub.domain.filters import Part, Span
from kqi_hub.domain.upload_ports import NewUpload, Quota, Quotas
from tests.adapters.db.data_rows_for_tests import (
    add_data,
    add_files,
    begin_publishing,
    begin_taking,
    end_publishing,
    forget_data,
)

TRAINING = Thing(Kind.TRAINING, "7")
NASTY = "a\0b \ud800 '\"%_\\ 例え\n</script>"
ALL = DatasetFilter(None)


@pytest.fixture
def base(engine: Engine) -> Engine:
    schema.upgrade(engine)
    return engine


def store(base: Engine) -> SqlDatasetStore:
    return SqlDatasetStore(base)


def made(base: Engine, *entries: Placed, **changed: Any) -> Dataset:
    new = NewDataset("vision", "signs", "memo", entries=entries)
    return store(base).create(replace(new, **changed), "mia", 10.0)


def placed(*numbers: int, type_: str = "training") -> tuple[Placed, ...]:
    return tuple(Placed(type_, one) for one in numbers)


def test_dataset_has_what_its_items_have(base: Engine) -> None:
    one, two = add_data(base), add_data(base, {"c": 0})
    found = made(base, *placed(one, two), Placed("testing", one))
    assert (found.items, found.files, found.bytes) == (3, 5, 86)
    assert found == store(base).one(found.id)
    assert store(base).placed(found.id) == (
        Placed("testing", one),
        *placed(one, two),
    )
    assert store(base).count_by_type(found.id) == {"testing": 1, "training": 2}
    add_files(base, two, {"d": 9})
    grown = store(base).one(found.id)
    assert grown is not None
    assert (grown.files, grown.bytes) == (6, 95)


def test_any_text_comes_back_as_it_was(base: Engine) -> None:
    found = made(base, name=NASTY, memo=NASTY)
    assert (found.name, found.memo) == (NASTY, NASTY)
    assert store(base).search(replace(ALL, name=Part("'\"%_\\ 例え"))) == (found,)
    assert store(base).search(replace(ALL, name=Part("%%"))) == ()


@pytest.mark.parametrize(
    ("tenant", "state"),
    [
        ("nlp", DataState.READY),
        ("vision", DataState.UPLOADING),
        ("vision", DataState.REMOVING),
    ],
)
def test_data_of_others_or_not_ready_cannot_be_put_in(
    base: Engine, tenant: str, state: DataState
) -> None:
    good = add_data(base)
    bad = add_data(base, tenant=tenant, state=state)
    with pytest.raises(InvalidInput, match=f"no data {bad} in tenant vision"):
        made(base, *placed(good, bad))
    kept = made(base, *placed(good))
    with pytest.raises(InvalidInput):
        store(base).replace(kept.id, placed(bad), kept.changed_at, 20.0)
    assert store(base).placed(kept.id) == placed(good)
    assert store(base).count(ALL) == 1


def test_number_of_no_dataset_is_not_found(base: Engine) -> None:
    datasets = store(base)
    calls: tuple[Callable[[], object], ...] = (
        lambda: datasets.rename(9, "a", "", 1.0),
        lambda: datasets.replace(9, (), 1.0, 1.0),
        lambda: datasets.delete(9),
        lambda: SqlUseStore(base).lock(9, TRAINING, 1.0),
    )
    assert datasets.one(9) is None
    for call in calls:
        with pytest.raises(NotFound):
            call()


def test_second_of_two_edits_is_refused_even_within_one_tick(base: Engine) -> None:
    one, two = add_data(base), add_data(base)
    seen = made(base)
    first = store(base).replace(seen.id, placed(one), seen.changed_at, 10.0)
    assert first.changed_at > seen.changed_at
    with pytest.raises(Conflict, match="changed meanwhile"):
        store(base).replace(seen.id, placed(two), seen.changed_at, 10.0)
    assert store(base).placed(seen.id) == placed(one)


def test_of_many_edits_at_once_one_is_taken(base: Engine) -> None:
    items = [add_data(base) for _ in range(6)]
    seen = made(base)
    together = threading.Barrier(len(items))

    def edit(number: int) -> int | None:
        together.wait()
        try:
            store(base).replace(seen.id, placed(number), seen.changed_at, 20.0)
        except Conflict:
            return None
        return number

    with ThreadPoolExecutor(len(items)) as pool:
        won = [one for one in pool.map(edit, items) if one is not None]
    assert len(won) == 1
    assert store(base).placed(seen.id) == placed(won[0])


def test_locked_dataset_keeps_its_entries_and_takes_a_name(base: Engine) -> None:
    number = add_data(base)
    seen = made(base, *placed(number))
    SqlUseStore(base).lock(seen.id, TRAINING, 11.0)
    locked = store(base).one(seen.id)
    assert locked == replace(seen, is_locked=True)
    with pytest.raises(Conflict, match="is locked"):
        store(base).replace(seen.id, (), seen.changed_at, 20.0)
    with pytest.raises(Conflict, match="is locked"):
        store(base).delete(seen.id)
    renamed = store(base).rename(seen.id, "other", "note", 20.0)
    assert (renamed.name, renamed.memo, renamed.files) == ("other", "note", 2)
    assert SqlBlockers(base).of_dataset(seen.id) == (Blocker(TRAINING, Why.USED),)
    assert SqlBlockers(base).of_data([number, 99]) == {
        number: (
            Blocker(Thing(Kind.DATASET, str(seen.id)), Why.IN_LOCKED_DATASET, "other"),
        )
    }


def test_lock_lasts_until_the_last_one_lets_go(base: Engine) -> None:
    uses, seen = SqlUseStore(base), made(base)
    other = Thing(Kind.INFERENCE, "8")
    for by, at in ((TRAINING, 11.0), (TRAINING, 12.0), (other, 13.0)):
        uses.lock(seen.id, by, at)
    assert [(one.by, one.at) for one in uses.locks(seen.id)] == [
        (TRAINING, 11.0),
        (other, 13.0),
    ]
    uses.release(seen.id, TRAINING)
    uses.release(seen.id, TRAINING)
    with pytest.raises(Conflict):
        store(base).delete(seen.id)
    uses.release(seen.id, other)
    store(base).delete(seen.id)
    assert store(base).one(seen.id) is None


def test_notebooks_use_never_locks_and_a_lock_may_follow_a_use(base: Engine) -> None:
    uses, seen = SqlUseStore(base), made(base)
    used, notebook = Thing(Kind.DATASET, str(seen.id)), Thing(Kind.NOTEBOOK, "3")
    uses.record(Use(used, notebook, 11.0, locks=False))
    store(base).replace(seen.id, (), seen.changed_at, 12.0)
    uses.record(Use(used, notebook, 13.0, locks=True))
    assert uses.locks(seen.id) == (Use(used, notebook, 11.0, locks=True),)
    uses.record(Use(used, notebook, 14.0, locks=False))
    assert len(uses.locks(seen.id)) == 1
    uses.forget_uses(notebook)
    assert uses.locks(seen.id) == ()


def test_dataset_is_not_locked_while_its_items_change(base: Engine) -> None:
    one, two = add_data(base), add_data(base)
    seen = made(base, *placed(one, two))
    begin_publishing(base, two)
    with pytest.raises(Conflict, match=f"added to data {two}"):
        SqlUseStore(base).lock(seen.id, TRAINING, 11.0)
    end_publishing(base, two)
    SqlUseStore(base).lock(seen.id, TRAINING, 11.0)
    other = made(base, *placed(one))
    begin_taking(base, one, "b.bin")
    with pytest.raises(Conflict, match=f"data {one}"):
        SqlUseStore(base).lock(other.id, TRAINING, 11.0)


def test_data_are_deleted_or_locked_but_never_both(base: Engine) -> None:
    data, uses = SqlDataStore(base, DatasetUsers()), SqlUseStore(base)
    for _ in range(8):
        number = add_data(base)
        seen = made(base, *placed(number))
        together = threading.Barrier(2)

        def remove(
            number: int = number, together: threading.Barrier = together
        ) -> bool:
            together.wait()
            try:
                data.begin_removal(number, 20.0)
            except Blocked as error:
                assert error.blockers[0].why is Why.IN_LOCKED_DATASET
                return False
            return True

        def lock(seen: Dataset = seen, together: threading.Barrier = together) -> int:
            together.wait()
            uses.lock(seen.id, TRAINING, 11.0)
            found = store(base).one(seen.id)
            return -1 if found is None else found.items

        with ThreadPoolExecutor(2) as pool:
            removing, locking = pool.submit(remove), pool.submit(lock)
            assert locking.result() == (0 if removing.result() else 1)


def test_item_of_a_locked_dataset_neither_grows_nor_shrinks(base: Engine) -> None:
    number, users = add_data(base), DatasetUsers()
    seen = made(base, *placed(number))
    uploads = SqlUploadStore(base, users)
    upload = NewUpload("k" * 26, "mia", 1, 1, 12.0, 99.0)
    uploads.begin_more(number, upload, Quotas(Quota(), Quota()))
    SqlUseStore(base).lock(seen.id, TRAINING, 13.0)
    late = replace(upload, key="l" * 26)
    for call in (
        lambda: uploads.publishing(upload.key, 14.0),
        lambda: uploads.begin_more(number, late, Quotas(Quota(), Quota())),
        lambda: SqlDataStore(base, users).take_files(number, ["b.bin"], 14.0),
    ):
        with pytest.raises(Blocked):
            call()
    SqlUseStore(base).release(seen.id, TRAINING)
    uploads.publishing(upload.key, 15.0)
    with pytest.raises(Conflict, match=f"added to data {number}"):
        SqlUseStore(base).lock(seen.id, TRAINING, 16.0)


def test_deleted_data_leave_their_datasets_and_editors_notice(base: Engine) -> None:
    one, two = add_data(base), add_data(base)
    seen = made(base, *placed(one, two))
    with writing(base) as connection:
        DatasetUsers().forget(connection, one)
    forget_data(base, one)
    assert store(base).placed(seen.id) == placed(two)
    with pytest.raises(Conflict, match="changed meanwhile"):
        store(base).replace(seen.id, placed(two), seen.changed_at, 20.0)


def test_preprocessing_blocks_what_it_read_and_what_it_made(base: Engine) -> None:
    source, result = add_data(base), add_data(base)
    uses, step = SqlUseStore(base), Thing(Kind.PREPROCESSING, "4")
    uses.record(Use(Thing(Kind.DATA, str(source)), step, 1.0, locks=False))
    uses.record(Use(step, Thing(Kind.DATA, str(result)), 2.0, locks=False))
    assert SqlBlockers(base).of_data([source, result]) == {
        source: (Blocker(step, Why.PREPROCESSED),),
        result: (Blocker(step, Why.GENERATED),),
    }


def test_pages_of_items_follow_each_other_without_gap(base: Engine) -> None:
    numbers = [add_data(base, tags=("b", "a")) for _ in range(7)]
    found = made(base, *placed(*numbers), *placed(*numbers[:3], type_="testing"))
    pages: list[Any] = []
    after = None
    while page := store(base).items(found.id, None, after, 4):
        pages += page
        after = Seen(page[-1].placed.type, page[-1].placed.data_id)
    assert [one.placed for one in pages] == list(store(base).placed(found.id))
    assert pages[0].tags == ("a", "b")
    testing = store(base).items(found.id, "testing")
    assert [one.placed.data_id for one in testing] == numbers[:3]


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 100])
def test_pages_of_paths_follow_each_other_without_gap(base: Engine, limit: int) -> None:
    one = add_data(base, {"b": 1, "a/é": 2, "a/z": 3, "B": 4})
    empty, two = add_data(base, {}), add_data(base, {"x": 5})
    found = made(base, *placed(one, empty, two), *placed(two, one, type_="testing"))
    add_files(base, two, {"y": 6})
    begin_publishing(base, one)
    pages: list[Any] = []
    after = None
    while page := store(base).paths(found.id, after, limit):
        assert len(page) <= limit
        pages += page
        last = page[-1]
        after = Seen(last.type, last.data_id, last.data_path)
    files = (*(f"{one}/{p}" for p in ("B", "a/z", "a/é", "b")), f"{two}/x", f"{two}/y")
    expected = [f"{t}/{p}" for t in ("testing", "training") for p in files]
    assert [one.path for one in pages] == expected
    assert pages[0].data_name == "signs"


def test_flat_dataset_has_no_folder_of_a_type(base: Engine) -> None:
    number = add_data(base, {"x": 5})
    found = made(base, Placed("", number), is_flat=True)
    assert [one.path for one in store(base).paths(found.id)] == [f"{number}/x"]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"name": Part("SIGN")}, [1, 3]),
        ({"name": Part("sign", is_refused=True)}, [2]),
        ({"memo": Part("x")}, [2]),
        ({"created_at": Span(20, None)}, [2, 3]),
        ({"id": Span(2, 4)}, [2, 3]),
        ({"created_by": Part("max")}, [3]),
        ({"tenants": ("nlp",)}, [3]),
        ({"tenants": ()}, []),
        ({"is_locked": True}, [2]),
        ({"is_locked": False}, [1, 3]),
        ({"data_id": 1}, [1]),
        ({"sort": DatasetColumn.NAME, "is_descending": True}, [2, 1, 3]),
        ({"limit": 1, "offset": 1}, [2]),
    ],
)
def test_list_shows_what_the_filter_says(
    base: Engine, wanted: dict[str, Any], expected: list[int]
) -> None:
    number, datasets = add_data(base), store(base)
    datasets.create(
        NewDataset("vision", "signs", "", entries=placed(number)), "mia", 10.0
    )
    datasets.create(NewDataset("vision", "voices", "x"), "mia", 20.0)
    datasets.create(NewDataset("nlp", "Sign", ""), "max", 30.0)
    SqlUseStore(base).lock(2, TRAINING, 40.0)
    full = replace(
        DatasetFilter(None, sort=DatasetColumn.ID, is_descending=False), **wanted
    )
    if wanted.get("sort") is DatasetColumn.NAME:
        # Of names that differ in case alone each database has its own order.
        expected_names = {1: "signs", 2: "voices", 3: "Sign"}
        found = [one.name for one in datasets.search(full)]
        assert found[0] == expected_names[expected[0]]
        return
    assert [one.id for one in datasets.search(full)] == expected
    if "limit" not in wanted:
        assert datasets.count(full) == len(expected)


def test_types_are_the_usual_ones_until_a_tenant_chooses(base: Engine) -> None:
    datasets = store(base)
    assert datasets.types("vision") == USUAL_TYPES
    datasets.set_types("vision", ("training", "extra"))
    assert datasets.types("vision") == ("training", "extra")
    assert datasets.types("nlp") == USUAL_TYPES


def test_type_that_a_dataset_uses_is_not_given_up(base: Engine) -> None:
    number = add_data(base)
    seen = made(base, *placed(number))
    with pytest.raises(Conflict, match=f"Dataset {seen.id}, signs"):
        store(base).set_types("vision", ("testing",))
    store(base).replace(seen.id, (), seen.changed_at, 20.0)
    store(base).set_types("vision", ("testing",))


def test_five_thousand_items_are_put_in_and_read(base: Engine) -> None:
    first = add_data(base, {"f": 1})
    numbers = [first, *(add_data(base, {"f": 1}) for _ in range(20))]
    entries = [Placed(f"t{one}", number) for one in range(300) for number in numbers]
    found = made(base, *entries)
    assert found.items == found.files == len(entries)
    assert len(store(base).paths(found.id, None, 1000)) == 1000
