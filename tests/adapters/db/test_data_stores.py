"""Data and uploads in memory, on SQLite and on PostgreSQL: the same of all three."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest

from kqi_hub.db import schema
from kqi_hub.db.data_items import SqlDataStore
from kqi_hub.db.data_users import NoUsers
from kqi_hub.db.engine import make_engine
from kqi_hub.db.uploads import SqlUploadStore
from kqi_hub.domain.data import DataItem, DataState, StoredFile, UploadState
from kqi_hub.domain.data_errors import NoRoom
from kqi_hub.domain.data_item_ports import Comparison, DataStore, KnownTag
from kqi_hub.domain.data_list import Column, DataFilter
from kqi_hub.domain.errors import Conflict, Incomplete, KqiError, NotFound
from kqi_hub.domain.filters import moments_of, numbers_of, part_of, tags_of
from kqi_hub.domain.upload_ports import (
    NewData,
    NewUpload,
    Quota,
    Quotas,
    UploadStore,
)
from tests.fakes.data import NO_QUOTAS
from tests.fakes.data_book import FakeDataBook

NOW = 1_795_000_000.0
NEW = NewData("vision", "signs", "for the paper", ("a", "b"))
ALL = DataFilter(tenants=("vision",))
ODD = ["a'b", "a\nb", "\0", "\ud800", "é%_\\/", '"; DROP TABLE uploads; --']


@dataclass
class Book:
    """Both stores on one database."""

    items: DataStore
    uploads: UploadStore
    last: int = 0

    def begin(
        self,
        new: NewData = NEW,
        files: int = 1,
        size: int = 3,
        person: str = "ann",
        quotas: Quotas = NO_QUOTAS,
        at: float = NOW,
    ) -> tuple[DataItem, str]:
        upload = self._new(files, size, person, at)
        item, kept = self.uploads.begin(new, upload, quotas)
        return item, kept.key

    def more(
        self, data_id: int, files: int = 1, size: int = 3, person: str = "ann"
    ) -> str:
        upload = self._new(files, size, person, NOW)
        return self.uploads.begin_more(data_id, upload, NO_QUOTAS).key

    def publish(self, key: str, files: dict[str, int]) -> DataItem:
        self.uploads.publishing(key, NOW + 1)
        assert self.uploads.add_files(key, stored(files), NOW + 2)
        done = self.uploads.published(key, NOW + 3)
        assert done is not None
        return done

    def ready(
        self,
        files: dict[str, int] | None = None,
        new: NewData = NEW,
        person: str = "ann",
    ) -> DataItem:
        has = {"x": 3} if files is None else files
        _, key = self.begin(new, len(has), sum(has.values()), person)
        return self.publish(key, has)

    def _new(self, files: int, size: int, person: str, at: float) -> NewUpload:
        self.last += 1
        return NewUpload(f"key{self.last}", person, files, size, at, at + 100)


def stored(files: dict[str, int]) -> list[StoredFile]:
    return [StoredFile(path, size, f"{size:064x}") for path, size in files.items()]


@pytest.fixture(params=["memory", "sqlite_url", "postgresql_url"])
def book(request: pytest.FixtureRequest) -> Iterator[Book]:
    if request.param == "memory":
        fake = FakeDataBook()
        yield Book(fake, fake)
        return
    engine = make_engine(request.getfixturevalue(request.param), create=True)
    schema.upgrade(engine)
    users = NoUsers()
    yield Book(SqlDataStore(engine, users), SqlUploadStore(engine, users))
    engine.dispose()


def test_an_item_is_seen_with_its_last_file(book: Book) -> None:
    item, key = book.begin(files=2, size=7)
    assert item.state is DataState.UPLOADING
    assert book.items.search(ALL) == ()
    assert book.items.known_tags("vision") == ()
    book.uploads.publishing(key, NOW + 1)
    assert book.uploads.add_files(key, stored({"b": 4}), NOW + 2)
    with pytest.raises(Incomplete):
        book.uploads.published(key, NOW + 3)
    assert book.items.search(ALL) == ()
    assert book.items.files(item.id) == ()
    assert book.uploads.add_files(key, stored({"a/c": 3, "b": 4}), NOW + 2)
    done = book.uploads.published(key, NOW + 3)
    assert done == replace(
        item,
        state=DataState.READY,
        files=2,
        bytes=7,
        version=1,
        changed_at=NOW + 3,
    )
    assert book.items.search(ALL) == (done,)
    assert [one.path for one in book.items.files(item.id)] == ["a/c", "b"]
    upload = book.uploads.upload(key)
    assert upload is not None
    assert upload.state is UploadState.DONE


def test_each_step_of_publishing_may_be_repeated(book: Book) -> None:
    _, key = book.begin()
    for _ in range(2):
        upload = book.uploads.publishing(key, NOW)
        assert upload.state is UploadState.PUBLISHING
        assert book.uploads.add_files(key, stored({"x": 3}), NOW)
    done = [book.uploads.published(key, NOW) for _ in range(2)]
    assert done[0] == done[1]
    assert book.uploads.publishing(key, NOW).state is UploadState.DONE
    assert not book.uploads.add_files(key, stored({"ghost": 3}), NOW)
    assert [one.path for one in book.items.files(1)] == ["x"]


def test_files_added_later_are_seen_together(book: Book) -> None:
    item = book.ready({"b": 3})
    key = book.more(item.id, 2, 5)
    book.uploads.publishing(key, NOW)
    assert book.uploads.add_files(key, stored({"a": 2, "c": 3}), NOW)
    assert [one.path for one in book.items.files(item.id)] == ["b"]
    assert book.items.file(item.id, "a") is None
    assert [one.name for one in book.items.level(item.id)] == ["b"]
    changed = book.uploads.published(key, NOW)
    assert changed is not None
    assert (changed.files, changed.bytes, changed.version) == (3, 8, 2)
    assert [one.path for one in book.items.files(item.id)] == ["a", "b", "c"]


def test_one_upload_of_an_item_is_published_at_a_time(book: Book) -> None:
    item = book.ready({"b": 3})
    first, second = book.more(item.id), book.more(item.id)
    book.uploads.publishing(first, NOW)
    with pytest.raises(Conflict):
        book.uploads.publishing(second, NOW)
    book.uploads.reopen(first, NOW)
    assert book.uploads.publishing(second, NOW).state is UploadState.PUBLISHING


def test_reopening_takes_back_what_was_listed(book: Book) -> None:
    item = book.ready({"b": 3})
    key = book.more(item.id)
    book.uploads.publishing(key, NOW)
    book.uploads.add_files(key, stored({"wrong": 9}), NOW)
    assert book.uploads.reopen(key, NOW).state is UploadState.OPEN
    assert book.publish(key, {"right": 3}).files == 2
    assert [one.path for one in book.items.files(item.id)] == ["b", "right"]


def test_a_dropped_upload_takes_the_item_that_was_to_be(book: Book) -> None:
    item, key = book.begin()
    assert book.uploads.drop(key, NOW).state is UploadState.DROPPED
    assert book.items.one(item.id) is None
    assert book.uploads.drop(key, NOW).state is UploadState.DROPPED
    with pytest.raises(Conflict):
        book.uploads.publishing(key, NOW)
    assert [one.key for one in book.uploads.of_person("ann")] == [key]
    other, _ = book.begin()
    assert other.id != item.id


def test_an_upload_that_is_being_published_is_not_dropped(book: Book) -> None:
    item = book.ready()
    key = book.more(item.id)
    book.uploads.publishing(key, NOW)
    with pytest.raises(Conflict):
        book.uploads.drop(key, NOW)
    with pytest.raises(Conflict):
        book.items.begin_removal(item.id, NOW)


def test_deleting_ends_the_uploads_of_an_item(book: Book) -> None:
    item = book.ready()
    key = book.more(item.id)
    assert book.items.begin_removal(item.id, NOW).state is DataState.REMOVING
    assert book.items.begin_removal(item.id, NOW).state is DataState.REMOVING
    assert book.items.search(ALL) == ()
    with pytest.raises(Conflict):
        book.uploads.publishing(key, NOW)
    assert [one.id for one in book.items.removing()] == [item.id]
    book.items.forget(item.id)
    book.items.forget(item.id)
    assert book.items.one(item.id) is None
    assert book.items.removing() == ()
    assert {one.key for one in book.uploads.left_over(NOW + 9)} >= {key}


def test_only_what_is_being_removed_is_forgotten(book: Book) -> None:
    item = book.ready()
    book.items.forget(item.id)
    assert book.items.one(item.id) == item


def test_files_taken_are_gone_at_once_and_remembered_for_the_store(book: Book) -> None:
    item = book.ready({"a": 1, "b": 2, "c": 4})
    with pytest.raises(NotFound):
        book.items.take_files(item.id, ["a", "z"], NOW)
    assert book.items.one(item.id) == item
    changed = book.items.take_files(item.id, ["a", "c"], NOW + 9)
    assert (changed.files, changed.bytes, changed.version) == (1, 2, 2)
    assert [one.path for one in book.items.files(item.id)] == ["b"]
    key = book.more(item.id)
    with pytest.raises(Conflict):
        book.uploads.publishing(key, NOW)
    assert book.items.removals(NOW + 9) == ()
    [removal] = book.items.removals(NOW + 10)
    assert (removal.data_id, removal.tenant) == (item.id, "vision")
    assert set(removal.paths) == {"a", "c"}
    book.items.files_gone(item.id, ["a", "c"])
    assert book.items.removals(NOW + 10) == ()
    assert book.publish(key, {"a": 3}).files == 2


def test_tags_come_and_vanish_with_their_last_use(book: Book) -> None:
    first, second = book.ready(), book.ready()
    book.items.retag(first.id, ["c", "a"], ["b", "z"], NOW)
    assert book.items.known_tags("vision") == (
        KnownTag("a", 2),
        KnownTag("b", 1),
        KnownTag("c", 1),
    )
    book.items.begin_removal(second.id, NOW)
    assert book.items.known_tags("vision") == (KnownTag("a", 1), KnownTag("c", 1))
    assert book.items.known_tags("biology") == ()


def test_a_change_of_something_older_is_refused(book: Book) -> None:
    item = book.ready()
    changed = book.items.change(item.id, "new", "", item.changed_at, NOW)
    assert (changed.name, changed.memo) == ("new", "")
    assert changed.changed_at > item.changed_at
    with pytest.raises(Conflict):
        book.items.change(item.id, "newer", "", item.changed_at, NOW + 9)


@pytest.mark.parametrize(
    ("quotas", "is_let"),
    [
        (Quotas(Quota(None, 10), Quota()), True),
        (Quotas(Quota(None, 9), Quota()), False),
        (Quotas(Quota(3, None), Quota()), True),
        (Quotas(Quota(2, None), Quota()), False),
        (Quotas(Quota(), Quota(None, 4)), True),
        (Quotas(Quota(), Quota(None, 3)), False),
        (Quotas(Quota(0, 0), Quota()), False),
    ],
)
def test_what_is_announced_counts_against_quotas(
    book: Book, quotas: Quotas, is_let: bool
) -> None:
    book.ready({"a": 3})
    book.begin(size=3, person="bob")
    book.ready({"a": 99}, replace(NEW, tenant="biology"))
    if is_let:
        book.begin(size=4, person="cid", quotas=quotas)
        return
    with pytest.raises(NoRoom):
        book.begin(size=4, person="cid", quotas=quotas)
    assert book.items.use("vision").uploading_bytes == 3


def test_use_is_counted_by_tenant_and_person(book: Book) -> None:
    book.ready({"a": 1, "b": 2})
    book.ready({"a": 8}, person="bob")
    book.begin(size=5, person="cid")
    whole = book.items.use("vision")
    assert (whole.files, whole.bytes, whole.uploading_bytes) == (3, 11, 5)
    mine = book.items.use("vision", "ann")
    assert (mine.files, mine.bytes, mine.uploading_bytes) == (2, 3, 0)
    each = [(one.person, one.use.bytes) for one in book.items.use_by_person("vision")]
    assert each == [("bob", 8), ("ann", 3), ("cid", 0)]
    assert book.items.tenants() == ("vision",)


def test_parents_are_ready_data_of_the_same_tenant(book: Book) -> None:
    parent = book.ready()
    uploading, _ = book.begin()
    other = book.ready(new=replace(NEW, tenant="biology"))
    child = book.ready(new=replace(NEW, parents=(parent.id,)))
    assert child.parents == (parent.id,)
    assert book.items.children(parent.id) == (child,)
    for wrong in (uploading.id, other.id, 10**15):
        with pytest.raises(KqiError):
            book.begin(replace(NEW, parents=(parent.id, wrong)))
    book.items.begin_removal(parent.id, NOW)
    book.items.forget(parent.id)
    assert book.items.one(child.id) == child


NAMES = {
    "Signs 2026": ("alpha", "red"),
    "signs 2025": ("alpha",),
    "100%": ("beta",),
    "a_b": ("beta", "red"),
    "ÉTÉ": (),
    "été": ("red",),
}


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (ALL, list(NAMES)),
        (replace(ALL, name=part_of("SIGNS")), ["Signs 2026", "signs 2025"]),
        (replace(ALL, name=part_of("!signs")), ["100%", "a_b", "ÉTÉ", "été"]),
        (replace(ALL, name=part_of("%")), ["100%"]),
        (replace(ALL, name=part_of("_")), ["a_b"]),
        (replace(ALL, name=part_of("\\")), []),
        (replace(ALL, created_by=part_of("ann")), list(NAMES)),
        (replace(ALL, created_by=part_of("!ann")), []),
        (replace(ALL, memo=part_of("paper")), list(NAMES)),
        (replace(ALL, id=numbers_of("2") or ALL.id), ["signs 2025"]),
        (replace(ALL, id=numbers_of(">=5") or ALL.id), ["ÉTÉ", "été"]),
        (replace(ALL, id=numbers_of(">1,<3") or ALL.id), ["signs 2025"]),
        (replace(ALL, tags=tags_of(["alpha,red"])), ["Signs 2026"]),
        (replace(ALL, tags=tags_of(["red", "!alpha"])), ["a_b", "été"]),
        (replace(ALL, tags=tags_of(["!red,!alpha"])), ["100%", "ÉTÉ"]),
        (replace(ALL, tenants=("biology",)), []),
        (replace(ALL, tenants=()), []),
        (replace(ALL, tenants=None), list(NAMES)),
        (replace(ALL, is_descending=True), list(reversed(NAMES))),
        (replace(ALL, sort=Column.BYTES), list(NAMES)),
        (replace(ALL, limit=2, offset=1), ["signs 2025", "100%"]),
    ],
)
def test_a_list_is_filtered_sorted_and_paged(
    book: Book, wanted: DataFilter, names: list[str]
) -> None:
    for place, (name, tags) in enumerate(NAMES.items()):
        book.ready({"x": place}, replace(NEW, name=name, tags=tags))
    asked = wanted
    if wanted.is_descending and names != list(reversed(NAMES)):
        asked = replace(wanted, is_descending=False)
    assert [one.name for one in book.items.search(asked)] == names
    if asked.limit == ALL.limit:
        assert book.items.count(asked) == len(names)


def test_a_capital_letter_of_another_language_is_found_as_it_is(book: Book) -> None:
    book.ready(new=replace(NEW, name="ÉTÉ"))
    found = book.items.search(replace(ALL, name=part_of("ÉT")))
    assert [one.name for one in found] == ["ÉTÉ"]
    assert book.items.search(replace(ALL, name=part_of("!ÉT"))) == ()


def test_data_are_found_by_when_they_were_made(book: Book) -> None:
    book.ready()
    day = datetime.fromtimestamp(NOW, UTC).strftime("%Y-%m-%d")
    for text, found in ((day, 1), (f">{day}", 0), (f"<={day}", 1)):
        span = moments_of(text, UTC)
        assert span is not None
        assert book.items.count(replace(ALL, created_at=span)) == found


@pytest.mark.parametrize("odd", ODD)
def test_odd_texts_come_back_as_they_were(book: Book, odd: str) -> None:
    item = book.ready({odd: 3}, replace(NEW, name=odd, memo=odd, tags=(odd,)))
    assert (item.name, item.memo, item.tags) == (odd, odd, (odd,))
    assert [one.path for one in book.items.files(item.id)] == [odd]
    assert book.items.file(item.id, odd) is not None
    found = book.items.search(
        replace(ALL, name=part_of(odd), tags=tags_of([odd.replace(",", "")]))
    )
    assert found == (item,)


PATHS = [
    "a-b",
    "a.txt",
    "a/x",
    "a/y/z",
    "a0",
    "b",
    "deep/er/est",
    "deep0",
    "ä/é",
    "日本/語",
]


def test_a_folder_has_its_own_entries_only(book: Book) -> None:
    item = book.ready(dict.fromkeys(PATHS, 1))
    top = book.items.level(item.id)
    assert [(one.name, one.is_folder) for one in top] == [
        ("a-b", False),
        ("a.txt", False),
        ("a", True),
        ("a0", False),
        ("b", False),
        ("deep", True),
        ("deep0", False),
        ("ä", True),
        ("日本", True),
    ]
    assert [one.name for one in book.items.level(item.id, "a")] == ["x", "y"]
    assert [one.name for one in book.items.level(item.id, "deep/er")] == ["est"]
    assert book.items.level(item.id, "nowhere") == book.items.level(item.id, "b") == ()


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_a_folder_is_paged_without_loss(book: Book, limit: int) -> None:
    paths = PATHS + [f"many{n // 40}/{n}" for n in range(200)]
    item = book.ready(dict.fromkeys(paths, 1))
    whole = [one.name for one in book.items.level(item.id)]
    assert len(whole) == len(set(whole)) == 14
    paged: list[str] = []
    while page := book.items.level(item.id, "", paged[-1] if paged else "", limit):
        paged += [one.name for one in page]
    assert paged == whole


def test_files_are_paged_by_the_bytes_of_their_paths(book: Book) -> None:
    paths = [*PATHS, "Z", "z", "ß", "\uffff", "\U0001f600"]
    item = book.ready(dict.fromkeys(paths, 1))
    paged: list[str] = []
    while page := book.items.files(item.id, paged[-1] if paged else "", 4):
        paged += [one.path for one in page]
    assert paged == sorted(paths, key=str.encode)


def test_what_is_to_be_done_later_is_listed(book: Book) -> None:
    _, old = book.begin()
    _, new = book.begin(at=NOW + 1000)
    assert [one.key for one in book.uploads.expired(NOW + 100)] == [old]
    assert book.uploads.extend(old, NOW + 500).expires_at == NOW + 500
    assert book.uploads.extend(old, NOW + 400).expires_at == NOW + 500
    assert book.uploads.expired(NOW + 100) == ()
    book.uploads.publishing(old, NOW + 7)
    assert book.uploads.interrupted(NOW + 7) == ()
    assert [one.key for one in book.uploads.interrupted(NOW + 8)] == [old]
    book.uploads.drop(new, NOW + 9)
    assert [one.key for one in book.uploads.left_over(NOW + 10)] == [new]
    assert set(book.uploads.keys("vision")) == {old, new}
    book.uploads.cleared(new)
    assert set(book.uploads.keys("vision")) == {old}
    assert book.uploads.left_over(NOW + 10) == ()
    assert book.uploads.forget_ended(NOW + 9) == 0
    assert book.uploads.forget_ended(NOW + 10) == 1
    assert book.uploads.upload(new) is None


def test_the_last_comparison_of_each_tenant_is_kept(book: Book) -> None:
    book.items.compared(Comparison("vision", NOW, 2, 2**40, (1, 2)))
    book.items.compared(Comparison("biology", NOW, trouble="no answer"))
    book.items.compared(Comparison("vision", NOW + 1))
    assert book.items.comparisons() == (
        Comparison("biology", NOW, trouble="no answer"),
        Comparison("vision", NOW + 1),
    )


@pytest.mark.parametrize(
    "call",
    [
        lambda book: book.items.change(7, "", "", NOW, NOW),
        lambda book: book.items.retag(7, [], [], NOW),
        lambda book: book.items.begin_removal(7, NOW),
        lambda book: book.items.take_files(7, ["x"], NOW),
        lambda book: book.more(7),
        lambda book: book.uploads.publishing("none", NOW),
        lambda book: book.uploads.drop("none", NOW),
        lambda book: book.uploads.extend("none", NOW),
        lambda book: book.uploads.reopen("none", NOW),
    ],
)
def test_what_is_not_there_is_not_found(book: Book, call: object) -> None:
    assert callable(call)
    with pytest.raises(NotFound):
        call(book)
