"""Several do the same to data at once, on SQLite and on PostgreSQL."""

import threading
from collections.abc import Callable, Sequence
from functools import partial

import pytest
from sqlalchemy import Connection, Engine

from kqi_hub.db import schema
from kqi_hub.db.data_items import SqlDataStore
from kqi_hub.db.data_users import NoUsers
from kqi_hub.db.uploads import SqlUploadStore
from kqi_hub.domain.data import DataItem, Kind, StoredFile, Thing, UploadState
from kqi_hub.domain.data_errors import Blocked, NoRoom
from kqi_hub.domain.dataset_ports import Blocker, Why
from kqi_hub.domain.errors import Conflict, KqiError, NotFound
from kqi_hub.domain.upload_ports import NewData, NewUpload, Quota, Quotas
from tests.fakes.data import NO_QUOTAS

NOW = 1_795_000_000.0
NEW = NewData("vision", "signs")
FILE = StoredFile("x", 3, "0" * 64)
AT_ONCE = 6


class Users(NoUsers):
    """A dataset that locks whatever it is told."""

    def __init__(self) -> None:
        self.locked: set[int] = set()

    def blockers(
        self, connection: Connection, data_ids: Sequence[int]
    ) -> dict[int, tuple[Blocker, ...]]:
        lock = Blocker(Thing(Kind.DATASET, "1"), Why.IN_LOCKED_DATASET, "signs")
        return {one: (lock,) for one in data_ids if one in self.locked}


class Site:
    def __init__(self, engine: Engine) -> None:
        schema.upgrade(engine)
        self.users = Users()
        self.items = SqlDataStore(engine, self.users)
        self.uploads = SqlUploadStore(engine, self.users)

    def begin(self, key: str, quotas: Quotas = NO_QUOTAS) -> DataItem:
        new = NewUpload(key, "ann", 1, 3, NOW, NOW + 100)
        return self.uploads.begin(NEW, new, quotas)[0]

    def more(self, data_id: int, key: str) -> None:
        new = NewUpload(key, "ann", 1, 3, NOW, NOW + 100)
        self.uploads.begin_more(data_id, new, NO_QUOTAS)

    def ready(self, key: str = "first") -> DataItem:
        self.begin(key)
        self.uploads.publishing(key, NOW)
        self.uploads.add_files(key, [FILE], NOW)
        done = self.uploads.published(key, NOW)
        assert done is not None
        return done


@pytest.fixture
def site(engine: Engine) -> Site:
    return Site(engine)


def at_once(*calls: Callable[[], object]) -> list[object]:
    """Run all in threads that start together; return answers or their errors."""
    answers: list[object] = [None] * len(calls)
    barrier = threading.Barrier(len(calls))

    def run(place: int, call: Callable[[], object]) -> None:
        barrier.wait()
        try:
            answers[place] = call()
        except KqiError as error:
            answers[place] = error

    threads = [
        threading.Thread(target=run, args=(place, call))
        for place, call in enumerate(calls)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return answers


def test_the_last_room_is_given_away_once(site: Site) -> None:
    quotas = Quotas(Quota(None, 7), Quota())
    answers = at_once(
        *(lambda n=n: site.begin(f"key{n}", quotas) for n in range(AT_ONCE))
    )
    assert sum(isinstance(one, NoRoom) for one in answers) == AT_ONCE - 2
    assert site.items.use("vision").uploading_bytes == 6


def test_one_upload_of_an_item_is_published_at_a_time(site: Site) -> None:
    item = site.ready()
    keys = [f"more{n}" for n in range(AT_ONCE)]
    for key in keys:
        site.more(item.id, key)
    answers = at_once(*(lambda k=k: site.uploads.publishing(k, NOW) for k in keys))
    assert sum(isinstance(one, Conflict) for one in answers) == AT_ONCE - 1


def test_an_upload_is_shown_once_however_many_say_so(site: Site) -> None:
    site.begin("key")
    site.uploads.publishing("key", NOW)

    def publish() -> object:
        site.uploads.add_files("key", [FILE], NOW)
        return site.uploads.published("key", NOW)

    answers = at_once(*[publish] * AT_ONCE)
    assert len(set(answers)) == 1
    item = site.items.one(1)
    assert item is not None
    assert (item.version, item.files, item.bytes) == (1, 1, 3)


def test_an_item_is_deleted_or_published_into(site: Site) -> None:
    for n in range(8):
        item = site.ready(f"first{n}")
        key = f"more{n}"
        site.more(item.id, key)
        deleted, published = at_once(
            partial(site.items.begin_removal, item.id, NOW),
            partial(site.uploads.publishing, key, NOW),
        )
        assert isinstance(deleted, Conflict) is not isinstance(
            published, Conflict | NotFound
        )


def test_an_upload_is_dropped_or_published(site: Site) -> None:
    for n in range(8):
        key = f"key{n}"
        item = site.begin(key)
        dropped, published = at_once(
            partial(site.uploads.drop, key, NOW),
            partial(site.uploads.publishing, key, NOW),
        )
        assert isinstance(dropped, Conflict) is not isinstance(published, Conflict)
        upload = site.uploads.upload(key)
        assert upload is not None
        is_there = site.items.one(item.id) is not None
        assert is_there is (upload.state is UploadState.PUBLISHING)


def test_tags_of_several_people_are_all_kept(site: Site) -> None:
    item = site.ready()
    tags = [f"t{n}" for n in range(AT_ONCE)]
    at_once(
        *(lambda t=t: site.items.retag(item.id, [t, "same"], [], NOW) for t in tags)
    )
    found = site.items.one(item.id)
    assert found is not None
    assert found.tags == ("same", *tags)


def test_files_are_taken_once(site: Site) -> None:
    item = site.ready()
    take = [lambda: site.items.take_files(item.id, ["x"], NOW)] * AT_ONCE
    answers = at_once(*take)
    assert sum(isinstance(one, DataItem) for one in answers) == 1
    found = site.items.one(item.id)
    assert found is not None
    assert (found.files, found.bytes, found.version) == (0, 0, 2)


def test_what_is_locked_says_by_what(site: Site) -> None:
    item = site.ready()
    site.more(item.id, "more")
    site.users.locked.add(item.id)
    for call in (
        lambda: site.items.begin_removal(item.id, NOW),
        lambda: site.items.take_files(item.id, ["x"], NOW),
        lambda: site.more(item.id, "another"),
        lambda: site.uploads.publishing("more", NOW),
    ):
        with pytest.raises(
            Blocked, match=r"dataset signs \(1\) needs them as"
        ) as caught:
            call()
        assert caught.value.blockers[0].thing == Thing(Kind.DATASET, "1")
    assert site.items.one(item.id) == item


def test_two_that_delete_for_good_do_not_meet(site: Site) -> None:
    item = site.ready()
    site.items.begin_removal(item.id, NOW)
    answers = at_once(*[lambda: site.items.forget(item.id)] * AT_ONCE)
    assert answers == [None] * AT_ONCE
    assert site.items.one(item.id) is None
