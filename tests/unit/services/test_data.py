"""Data as pages and REST see them: roles, blockers, bulk, hostile input."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from kqi_hub.domain.data import DataItem, Kind, Thing
from kqi_hub.domain.data_errors import Blocked, NoRoom
from kqi_hub.domain.data_list import DataQuestion
from kqi_hub.domain.dataset_ports import Blocker, Why
from kqi_hub.domain.errors import (
    Conflict,
    InvalidInput,
    KqiError,
    NotFound,
    NotPermitted,
    StoreUnavailable,
)
from kqi_hub.domain.people import Membership, Role, Standing
from kqi_hub.domain.upload_ports import NewData, Quota, Quotas
from kqi_hub.services.data import Bulk
from kqi_hub.services.data_use import Of
from kqi_hub.services.tenant_rights import Asker
from tests.fakes.data import DataLab, asker, data_lab

ANN, BOB = asker("ann"), asker("bob")
VIEWER, BOSS = asker("vera", Role.VIEWER), asker("max", Role.MANAGER)
OUTSIDER = asker("olga", tenant="biology")
OPERATOR = Asker(Standing("root", (), is_operator=True))
BLOCKER = Blocker(Thing(Kind.DATASET, "4"), Why.IN_LOCKED_DATASET, "signs")
Change = Callable[[DataLab, Asker, DataItem], Awaitable[Any]]

CHANGES: dict[str, Change] = {
    "rename": lambda lab, who, item: lab.items.change(who, item.id, "new"),
    "tag": lambda lab, who, item: lab.items.tag(who, item.id, "t"),
    "untag": lambda lab, who, item: lab.items.untag(who, item.id, "t"),
    "remove files": lambda lab, who, item: lab.items.remove_files(who, item.id, ["x"]),
    "add files": lambda lab, who, item: lab.uploads.add(who, item.id, 1, 1),
    "delete": lambda lab, who, item: lab.items.delete(who, item.id),
}
LOOKS: dict[str, Change] = {
    "one": lambda lab, who, item: lab.items.one(who, item.id),
    "files": lambda lab, who, item: lab.items.files(who, item.id),
    "level": lambda lab, who, item: lab.items.level(who, item.id),
    "file": lambda lab, who, item: lab.items.file(who, item.id, "x"),
    "blockers": lambda lab, who, item: lab.items.blockers(who, item.id),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize(
    ("who", "refusal"),
    [
        (ANN, None),
        (BOSS, None),
        (OPERATOR, None),
        (BOB, NotPermitted),
        (VIEWER, NotPermitted),
        (asker("ann", Role.VIEWER), NotPermitted),
        (OUTSIDER, NotFound),
        (asker("ann", None), NotFound),
    ],
    ids=[
        "maker",
        "manager",
        "operator",
        "another member",
        "viewer",
        "maker who looks on now",
        "outsider",
        "maker who left",
    ],
)
async def test_the_maker_and_managers_change_data(
    change: Change, who: Asker, refusal: type[KqiError] | None
) -> None:
    lab = data_lab()
    item = await lab.data_of("ann", {"x": 1, "y": 2})
    if refusal is None:
        await change(lab, who, item)
        return
    with pytest.raises(refusal):
        await change(lab, who, item)
    assert lab.book.one(item.id) == item


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
@pytest.mark.parametrize(
    ("who", "is_seen"),
    [(ANN, True), (VIEWER, True), (OPERATOR, True), (OUTSIDER, False)],
)
async def test_members_of_the_tenant_look_at_data(
    look: Change, who: Asker, is_seen: bool
) -> None:
    lab = data_lab()
    item = await lab.data_of("ann", {"x": 1})
    if is_seen:
        await look(lab, who, item)
        return
    with pytest.raises(NotFound):
        await look(lab, who, item)


@pytest.mark.parametrize("change", ["remove files", "add files", "delete"])
async def test_what_a_locked_dataset_needs_stays(change: str) -> None:
    lab = data_lab()
    item = await lab.data_of("ann", {"x": 1})
    lab.book.blocked[item.id] = (BLOCKER,)
    with pytest.raises(Blocked) as caught:
        await CHANGES[change](lab, ANN, item)
    assert caught.value.status == 409
    assert caught.value.blockers == (BLOCKER,)
    view = await lab.items.one(ANN, item.id)
    assert view.blockers == await lab.items.blockers(ANN, item.id) == (BLOCKER,)
    assert set(lab.store.data[item.id]) == {"x"}


@pytest.mark.parametrize("change", ["rename", "tag", "untag"])
async def test_names_and_tags_of_what_is_locked_may_change(change: str) -> None:
    lab = data_lab()
    item = await lab.data_of("ann", {"x": 1})
    lab.book.blocked[item.id] = (BLOCKER,)
    await CHANGES[change](lab, ANN, item)


async def test_a_lock_that_comes_before_the_end_of_an_upload_refuses_it() -> None:
    lab = data_lab()
    item = await lab.data_of("ann", {"x": 1})
    sent = await lab.uploads.add(ANN, item.id, 1, 1)
    lab.store.receive(sent.upload.key, "y", 1)
    lab.book.blocked[item.id] = (BLOCKER,)
    with pytest.raises(Blocked):
        await lab.uploads.finish(ANN, sent.upload.key)
    assert set(lab.store.data[item.id]) == {"x"}
    lab.book.blocked.clear()
    done = await lab.uploads.finish(ANN, sent.upload.key)
    assert done.item is not None
    assert done.item.files == 2


async def test_a_path_that_is_there_already_is_refused_and_the_upload_stays() -> None:
    lab = data_lab()
    item = await lab.data_of("ann", {"x": 1})
    sent = await lab.uploads.add(ANN, item.id, 1, 9)
    lab.store.receive(sent.upload.key, "x", 9)
    with pytest.raises(Conflict):
        await lab.uploads.finish(ANN, sent.upload.key)
    [still] = await lab.uploads.mine(ANN)
    assert (still.upload.key, still.name) == (sent.upload.key, item.name)
    await lab.uploads.drop(ANN, sent.upload.key)
    assert lab.book.one(item.id) == item


async def test_many_are_tagged_and_deleted_each_for_itself() -> None:
    lab = data_lab()
    mine = await lab.data_of("ann", {"x": 1})
    locked = await lab.data_of("ann", {"x": 1})
    others = await lab.data_of("bob", {"x": 1})
    lab.book.blocked[locked.id] = (BLOCKER,)
    ids = [mine.id, locked.id, others.id, 999, 10**30, -1, mine.id]
    tagged = await lab.items.bulk(ANN, ids, Bulk.TAG, " new ")
    assert [(one.data_id, type(one.error)) for one in tagged] == [
        (mine.id, type(None)),
        (locked.id, type(None)),
        (others.id, NotPermitted),
        (999, NotFound),
        (10**30, NotFound),
        (-1, NotFound),
    ]
    known = await lab.items.known_tags(ANN, "vision")
    assert [(one.name, one.items) for one in known] == [("new", 2)]
    deleted = await lab.items.bulk(ANN, ids[:3], Bulk.DELETE)
    assert [type(one.error) for one in deleted] == [type(None), Blocked, NotPermitted]
    page = await lab.items.list(ANN, DataQuestion(with_total=True))
    assert (page.total, {one.id for one in page.items}) == (2, {locked.id, others.id})
    untagged = await lab.items.bulk(ANN, [locked.id], Bulk.UNTAG, "new")
    assert untagged[0].error is None
    assert await lab.items.known_tags(ANN, "vision") == ()


@pytest.mark.parametrize("ids", [[], list(range(1, 1002))])
async def test_none_and_too_many_at_once_are_refused(ids: list[int]) -> None:
    with pytest.raises(InvalidInput):
        await data_lab().items.bulk(ANN, ids, Bulk.DELETE)


async def test_a_list_shows_the_tenants_of_the_person_and_no_others() -> None:
    lab = data_lab()
    mine = await lab.data_of("ann", {"x": 1})
    both = Standing(
        "ann", (Membership("vision", Role.VIEWER), Membership("nlp", Role.MEMBER))
    )
    lab.book.items[50] = replace(mine, id=50, tenant="biology")
    lab.book.items[51] = replace(mine, id=51, tenant="nlp")

    async def ids(who: Asker, tenant: str | None = None) -> list[int]:
        page = await lab.items.list(who, DataQuestion(tenant=tenant, sort="id"))
        return [one.id for one in page.items]

    assert await ids(Asker(both)) == [mine.id, 51]
    assert await ids(Asker(both), "nlp") == [51]
    assert await ids(OPERATOR) == [mine.id, 50, 51]
    assert await ids(asker("ann", None)) == []
    with pytest.raises(NotFound):
        await ids(Asker(both), "biology")


async def test_an_unread_condition_finds_nothing_and_is_named() -> None:
    lab = data_lab()
    await lab.data_of("ann", {"x": 1})
    page = await lab.items.list(ANN, DataQuestion(id="one", with_total=True))
    assert (page.items, page.total, page.unread) == ((), 0, {"id": "one"})


async def test_a_store_that_is_away_delays_the_disk_and_not_the_person() -> None:
    lab = data_lab()
    item = await lab.data_of("ann", {"x": 1, "y": 1})
    lab.store.is_down = True
    changed = await lab.items.remove_files(ANN, item.id, ["x"])
    assert changed.files == 1
    await lab.items.delete(ANN, item.id)
    with pytest.raises(NotFound):
        await lab.items.one(ANN, item.id)
    assert set(lab.store.data[item.id]) == {"x", "y"}
    # Nothing of it is counted any more.
    assert (await lab.use.of(ANN, "vision")).use.bytes == 0


async def test_deeds_are_audited() -> None:
    lab = data_lab()
    item = await lab.data_of("ann", {"x": 1, "y": 2})
    await lab.items.change(ANN, item.id, memo="two\nlines")
    await lab.items.remove_files(ANN, item.id, ["x"])
    await lab.items.delete(BOSS, item.id)
    told = [(one.action, one.actor, one.target) for one in lab.audit.events]
    assert told == [
        ("data-created", "ann", f"data-{item.id}"),
        ("upload-finished", "ann", f"data-{item.id}"),
        ("data-changed", "ann", f"data-{item.id}"),
        ("data-files-removed", "ann", f"data-{item.id}"),
        ("data-deleted", "max", f"data-{item.id}"),
    ]


HOSTILE_NAMES = ["", "  ", "x" * 201, "a\nb", "a\0b", "\u202eevil", "\ud800", "\t"]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
async def test_a_name_is_one_visible_line(name: str) -> None:
    lab = data_lab()
    with pytest.raises(InvalidInput):
        await lab.uploads.create(ANN, NewData("vision", name), 1, 1)
    item = await lab.data_of("ann", {"x": 1})
    with pytest.raises(InvalidInput):
        await lab.items.change(ANN, item.id, name=name)


@pytest.mark.parametrize(
    "new",
    [
        NewData("vision", "a", memo="x" * 4001),
        NewData("vision", "a", memo="\0"),
        NewData("vision", "a", tags=("a,b",)),
        NewData("vision", "a", tags=("!a",)),
        NewData("vision", "a", tags=("",)),
        NewData("vision", "a", tags=("x" * 101,)),
        NewData("vision", "a", tags=("a\nb",)),
        NewData("vision", "a", tags=tuple(map(str, range(101)))),
        NewData("vision", "a", parents=(0,)),
        NewData("vision", "a", parents=(2**63,)),
        NewData("vision", "a", parents=(77,)),
        NewData("vision", "a", parents=tuple(range(1, 1002))),
    ],
)
async def test_what_data_cannot_be_is_refused(new: NewData) -> None:
    lab = data_lab()
    with pytest.raises(InvalidInput):
        await lab.uploads.create(ANN, new, 1, 1)
    assert lab.book.items == {}


@pytest.mark.parametrize(
    ("files", "size"),
    [(-1, 0), (1, -1), (0, 1), (10**7 + 1, 1), (1, 2**60 + 1), (10**30, 10**30)],
)
async def test_an_upload_announces_what_can_be(files: int, size: int) -> None:
    with pytest.raises(InvalidInput):
        await data_lab().uploads.create(ANN, NewData("vision", "a"), files, size)


async def test_data_may_have_no_files_and_empty_files() -> None:
    lab = data_lab()
    assert (await lab.data_of("ann", {})).files == 0
    item = await lab.data_of("ann", {"empty": 0})
    assert (item.files, item.bytes) == (1, 0)


@pytest.mark.parametrize(
    "paths", [[], [""], ["x" * 1025], [str(n) for n in range(10_001)]]
)
async def test_paths_to_remove_can_be_paths(paths: list[str]) -> None:
    lab = data_lab()
    item = await lab.data_of("ann", {"x": 1})
    with pytest.raises(InvalidInput):
        await lab.items.remove_files(ANN, item.id, paths)


@pytest.mark.parametrize("data_id", [0, -1, 2**63, 10**40])
async def test_a_number_that_no_database_knows_is_not_found(data_id: int) -> None:
    lab = data_lab()
    for call in (lab.items.one, lab.items.delete, lab.items.blockers):
        with pytest.raises(NotFound):
            await call(ANN, data_id)
    with pytest.raises(NotFound):
        await lab.uploads.add(ANN, data_id, 1, 1)


async def test_a_quota_is_told_before_a_byte_is_sent_and_warned_of() -> None:
    lab = data_lab()
    lab.quotas = Quotas(Quota(None, 100), Quota(4, None))
    await lab.data_of("ann", {"a": 40, "b": 41})
    use = await lab.use.of(VIEWER, "vision")
    assert (use.use.bytes, use.use.most_bytes) == (81, 100)
    assert [(one.whose, one.what, one.percent) for one in use.cautions] == [
        (Of.TENANT, "bytes", 81)
    ]
    with pytest.raises(NoRoom) as caught:
        await lab.uploads.create(BOB, NewData("vision", "b"), 1, 20)
    assert "20 bytes more: " in caught.value.message
    assert "81 bytes of 100 bytes" in caught.value.message
    with pytest.raises(NoRoom):
        await lab.uploads.create(ANN, NewData("vision", "b"), 3, 3)
    _, waiting = await lab.uploads.create(BOB, NewData("vision", "b"), 1, 19)
    with pytest.raises(NoRoom):
        await lab.uploads.create(BOB, NewData("vision", "c"), 1, 1)
    await lab.uploads.drop(BOB, waiting.upload.key)
    await lab.uploads.create(BOB, NewData("vision", "c"), 1, 1)
    with pytest.raises(NotFound):
        await lab.use.of(OUTSIDER, "vision")


async def test_use_is_told_without_the_disk_while_the_store_is_away() -> None:
    lab = data_lab()
    await lab.data_of("ann", {"a": 3, "b": 3})
    use = await lab.use.of(ANN, "vision", with_disk=True)
    assert use.kept is not None
    # The same content twice takes its space once.
    assert (use.use.bytes, use.kept.content_bytes) == (6, 3)
    lab.store.is_down = True
    assert (await lab.use.of(ANN, "vision", with_disk=True)).kept is None


async def test_uploads_are_listed_while_the_store_is_away() -> None:
    lab = data_lab()
    _, sent = await lab.uploads.create(ANN, NewData("vision", "a"), 1, 1)
    lab.store.is_down = True
    [mine] = await lab.uploads.mine(ANN)
    assert (mine.upload.key, mine.received) == (sent.upload.key, None)
    with pytest.raises(StoreUnavailable):
        await lab.uploads.finish(ANN, sent.upload.key)


async def test_a_fresh_ticket_lets_an_upload_live_longer() -> None:
    lab = data_lab()
    _, sent = await lab.uploads.create(ANN, NewData("vision", "a"), 1, 1)
    lab.now += 5 * 24 * 3600
    again = await lab.uploads.one(ANN, sent.upload.key)
    assert again.ticket != sent.ticket
    assert again.upload.expires_at == lab.now + 7 * 24 * 3600


async def test_who_left_the_tenant_sends_no_more() -> None:
    lab = data_lab()
    _, sent = await lab.uploads.create(ANN, NewData("vision", "a"), 1, 1)
    with pytest.raises(NotPermitted):
        await lab.uploads.one(asker("ann", Role.VIEWER), sent.upload.key)
    with pytest.raises(NotFound):
        await lab.uploads.finish(asker("ann", None), sent.upload.key)
    # Giving it up is still theirs.
    await lab.uploads.drop(asker("ann", None), sent.upload.key)
