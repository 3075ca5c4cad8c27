"""The keeper: what is due is ended, store and database are compared."""

import pytest

from kqi_hub.domain.data import UploadState
from kqi_hub.domain.errors import NotFound, StoreFull, StoreUnavailable
from kqi_hub.domain.upload_ports import NewData
from kqi_hub.services.data_keeping import DataKeeper
from kqi_hub.worker.data import DataRounds
from kqi_hub.worker.journal import Journal
from tests.fakes.data import DataLab, asker, data_lab
from tests.fakes.store import NOW

ANN = asker("ann")
NEW = NewData("vision", "signs")
DAY_S = 24 * 3600.0


def keeper(lab: DataLab) -> DataKeeper:
    return DataKeeper(
        lab.book, lab.book, lab.store, lab.publisher, lambda tenant: (), wall=lab.wall
    )


async def begun(lab: DataLab) -> str:
    _, sent = await lab.uploads.create(ANN, NEW, 2, 2)
    return sent.upload.key


async def test_an_abandoned_upload_expires_and_its_maker_sees_it() -> None:
    lab = data_lab()
    key = await begun(lab)
    lab.store.receive(key, "x", 1)
    lab.now += 7 * DAY_S - 1
    assert await keeper(lab).round() == ()
    lab.now += 2
    [deed] = await keeper(lab).round()
    assert (deed.what, deed.name, deed.error) == ("upload-expired", key, None)
    assert lab.store.incoming == {}
    [mine] = await lab.uploads.mine(ANN)
    assert mine.upload.state is UploadState.DROPPED
    lab.now += 31 * DAY_S
    await keeper(lab).round()
    with pytest.raises(NotFound):
        await lab.uploads.one(ANN, key)


async def test_an_upload_lives_on_while_bytes_come() -> None:
    lab = data_lab()
    key = await begun(lab)
    lab.store.receive(key, "x", 1)
    lab.now += 7 * DAY_S + 1
    lab.store.received_at = lab.now - DAY_S
    await keeper(lab).round()
    found = await lab.uploads.one(ANN, key)
    assert found.upload.state is UploadState.OPEN
    assert found.upload.expires_at >= lab.now + 6 * DAY_S


async def test_nothing_expires_while_the_store_cannot_be_asked() -> None:
    lab = data_lab()
    await begun(lab)
    lab.now += 8 * DAY_S
    lab.store.is_down = True
    [deed] = await keeper(lab).round()
    assert isinstance(deed.error, StoreUnavailable)
    [mine] = await lab.uploads.mine(ANN)
    assert mine.upload.state is UploadState.OPEN


async def test_one_that_fails_does_not_keep_others_back() -> None:
    lab = data_lab()
    await begun(lab)
    await begun(lab)
    lab.now += 8 * DAY_S
    lab.store.fails["drop"] = [StoreUnavailable("The data store is away.")]
    first, second = await keeper(lab).round()
    assert isinstance(first.error, StoreUnavailable)
    assert second.error is None
    lab.now += 61
    [cleared] = await keeper(lab).round()
    assert (cleared.what, cleared.error) == ("upload-cleared", None)


async def test_what_the_portal_is_doing_is_left_to_it_for_a_minute() -> None:
    lab = data_lab()
    key = await begun(lab)
    lab.store.receive(key, "x", 1)
    lab.store.receive(key, "y", 1)
    lab.book.publishing(key, lab.now)
    lab.now += 59
    assert await keeper(lab).round() == ()
    lab.now += 2
    [deed] = await keeper(lab).round()
    assert (deed.what, deed.error) == ("upload-published", None)
    assert (await lab.uploads.finish(ANN, key)).upload.state is UploadState.DONE


async def test_a_full_store_lets_a_new_upload_be_given_up() -> None:
    lab = data_lab()
    key = await begun(lab)
    lab.store.receive(key, "x", 1)
    lab.store.receive(key, "y", 1)
    lab.store.fails["publish"] = [StoreFull("The disk is full.")]
    with pytest.raises(StoreFull):
        await lab.uploads.finish(ANN, key)
    [mine] = await lab.uploads.mine(ANN)
    assert mine.upload.state is UploadState.OPEN
    # There is room again: nothing is sent twice.
    assert (await lab.uploads.finish(ANN, key)).item is not None


async def test_store_and_database_are_compared_once_a_day() -> None:
    lab = data_lab()
    fine, lost = await lab.data_of("ann", {"x": 1}), await lab.data_of("ann", {"y": 1})
    await lab.data_of("ann", {})
    open_upload = await begun(lab)
    lab.store.receive(open_upload, "x", 1)
    del lab.store.data[lost.id]
    lab.store.data[999] = dict(lab.store.data[fine.id])
    lab.store.receive("nobodys", "x", 5)
    [found] = await keeper(lab).compare()
    assert (found.strays, found.stray_bytes, found.missing) == (2, 6, (lost.id,))
    assert lab.book.comparisons() == (found,)
    assert await keeper(lab).compare() == ()
    lab.now += DAY_S + 1
    assert len(await keeper(lab).compare()) == 1
    [now] = await keeper(lab).compare_now(["vision"])
    assert now.at == lab.now


async def test_a_comparison_that_failed_is_tried_again_soon() -> None:
    lab = data_lab()
    await lab.data_of("ann", {"x": 1})
    lab.store.is_down = True
    [found] = await keeper(lab).compare()
    assert "does not answer" in found.trouble
    lab.store.is_down = False
    [again] = await keeper(lab).compare()
    assert again.trouble == ""


async def test_the_worker_says_what_was_done_and_what_disagrees(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    lab = data_lab()
    await lab.data_of("ann", {"x": 1})
    await begun(lab)
    lab.store.receive("nobodys", "x", 5)
    lab.now += 8 * DAY_S
    rounds = DataRounds(keeper(lab), Journal(lambda: NOW))
    await rounds.round()
    told = {one.getMessage(): getattr(one, "pairs", {}) for one in caplog.records}
    assert set(told) == {"upload-expired", "store-disagrees"}
    assert told["store-disagrees"]["strays"] == 1
    caplog.clear()
    lab.store.is_down = True
    await begun(lab)
    lab.now += 8 * DAY_S
    await rounds.round()
    await rounds.round()
    assert [one.getMessage() for one in caplog.records].count("trouble") == 1
    lab.store.is_down = False
    caplog.clear()
    await rounds.round()
    assert "back" in [one.getMessage() for one in caplog.records]
