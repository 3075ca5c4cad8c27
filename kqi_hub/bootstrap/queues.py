"""The queues as the portal shows them, joined: picture, prices, the site's words."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Engine

from kqi_hub.bootstrap.budgets import open_budgets, open_purse
from kqi_hub.bootstrap.cluster import poll_rules
from kqi_hub.bootstrap.database import open_association_store
from kqi_hub.bootstrap.rates import open_pricing
from kqi_hub.db.costs import SqlBooks
from kqi_hub.db.snapshot import SqlSnapshotStore
from kqi_hub.domain.notebooks import Preset, Shape
from kqi_hub.domain.queues import QueueRules
from kqi_hub.services.board import AssociationStore, Board
from kqi_hub.services.queues import Queues
from kqi_hub.settings.model import Settings

_MB: Final = 1024
_HOUR_S: Final = 3600


def open_queues(
    settings: Settings, engine: Engine, associations: AssociationStore | None = None
) -> Queues:
    """Return the queues of this process, on its database."""
    store = SqlSnapshotStore(engine, settings.cluster.name)
    pricing, watch = open_pricing(settings, engine)
    board = Board(
        store,
        associations or open_association_store(settings, engine),
        poll_rules(settings).stale_after_s,
        beside=watch.renew,
    )
    return Queues(
        board=board,
        store=store,
        pricing=pricing,
        rules=queue_rules_of(settings),
        presets=presets_of(settings),
        budgets=open_purse(settings, open_budgets(settings, engine)),
        books=SqlBooks(engine, settings.cluster.name),
    )


def presets_of(settings: Settings) -> tuple[Preset, ...]:
    """Return the ready-made choices, in the file's order."""
    return tuple(
        Preset(
            name=one.name,
            title=one.title,
            queue=one.queue,
            shape=Shape(one.cpus, one.memory_gb * _MB, one.gpus, one.gpu_type),
            lifetime_s=_seconds(one.lifetime_hours),
            tenants=one.tenants,
        )
        for one in settings.preset
    )


def queue_rules_of(settings: Settings) -> Mapping[str, QueueRules]:
    """Return what the site says of its queues, by name."""
    return {
        one.name: QueueRules(
            name=one.name,
            purpose=one.purpose,
            shares_gpus=one.shares_gpus,
            places_per_node=one.places_per_node,
            most_cpus=one.most_cpus,
            most_memory_mb=one.most_memory_gb and one.most_memory_gb * _MB,
            most_gpus=one.most_gpus,
        )
        for one in settings.queue
    }


def _seconds(hours: float | None) -> int | None:
    return None if hours is None else round(hours * _HOUR_S)
