"""Queues read from the worker's own tables, as the portal does it."""

import time
from datetime import date, timedelta

from sqlalchemy import Engine

from kqi_hub.bootstrap.database import (
    open_association_store,
)
from kqi_hub.bootstrap.queues import open_queues
from kqi_hub.bootstrap.rates import open_pricing, open_rate_cards, open_rates
from kqi_hub.db.snapshot import SqlSnapshotStore
from kqi_hub.domain.cluster import Association
from kqi_hub.domain.money import MICRO
from kqi_hub.domain.notebooks import Shape
from kqi_hub.domain.rate_cards import CardLine
from kqi_hub.services.freshness import Trust
from kqi_hub.services.rates import Author
from kqi_hub.settings.model import Settings
from tests.fakes.people import association
from tests.fakes.queues import reading

TABLES = {
    "cluster": {"name": "gpu1"},
    "rate": [{"queue": "v100", "per_gpu": "30"}],
    "preset": [{"name": "one", "title": "One", "queue": "cpu"}],
}
KNOWN: tuple[Association, ...] = (
    association("", "vision"),
    association("mia", "vision"),
)


async def test_what_the_worker_stores_is_what_people_see(
    settings: Settings, engine: Engine
) -> None:
    queues = open_queues(settings, engine)
    assert (await queues.board.current()).trust is Trust.NONE
    store = SqlSnapshotStore(engine, "gpu1")
    open_association_store(settings, engine).keep(KNOWN)
    store.save(reading(time.time()), {})
    queues = open_queues(settings, engine)
    picture, found = await queues.list("mia", "vision")
    assert picture.trust is Trust.FRESH
    names = [one.name for one in found if one.obstacle is None]
    assert names == ["jupyter", "v100", "a100", "cpu"]
    estimate = await queues.estimate(picture, found[1], Shape(1, 1024, 1), 3600)
    assert estimate.price is not None
    # Four GPUs of the node, whatever is asked of them.
    assert estimate.price.per_hour == 120_000_000
    assert estimate.wait.outlook.value == "now"


async def test_the_settings_rates_are_the_first_card_and_no_other(
    settings: Settings, engine: Engine
) -> None:
    store = open_rate_cards(settings, engine)
    await open_queues(settings, engine).board.current()
    # Before the worker has seen Slurm nobody knows which queues are exclusive.
    assert store.cards() == ()
    SqlSnapshotStore(engine, "gpu1").save(reading(time.time()), {})
    for _ in range(2):
        await open_queues(settings, engine).board.current()
    [first] = store.cards()
    assert (first.author, first.card.version, first.card.from_at) == ("settings", 1, 0)
    assert first.card.lines == (CardLine("v100", gpu=30 * MICRO, whole_node=True),)
    # Nothing is known that was used until now: there is nothing to post again.
    assert first.posted_at is not None


async def test_a_card_that_is_published_counts_in_a_running_portal(
    settings: Settings, engine: Engine
) -> None:
    SqlSnapshotStore(engine, "gpu1").save(reading(time.time()), {})
    pricing, watch = open_pricing(settings, engine)
    watch.renew()
    rates = open_rates(settings, engine, pricing)
    text = f"from = {date.today() - timedelta(2)}\n[[rate]]\nqueue = 'cpu'\nper_cpu = 2"
    shown = await rates.preview(text)
    version = await rates.publish(Author("oda"), shown.document, shown.confirmation)
    assert version == 2
    assert [line.cpu for line in pricing.rates_of("cpu")] == [2 * MICRO]
    assert pricing.rates_of("v100") == ()
    assert await rates.settle() == 0
    assert all(one.posted_at for one in await rates.cards())


async def test_a_refresh_reaches_the_worker(settings: Settings, engine: Engine) -> None:
    store = SqlSnapshotStore(engine, "gpu1")
    store.save(reading(time.time() - 60), {})
    asked_at = await open_queues(settings, engine).refresh()
    assert store.refresh_requested_at() == asked_at
