"""The queues as the portal shows them, joined: picture, prices, the site's words."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Engine

from kqi_hub.bootstrap.cluster import poll_rules
from kqi_hub.bootstrap.database import open_association_store
from kqi_hub.db.snapshot import SqlSnapshotStore
from kqi_hub.domain.money import Rate, Rule
from kqi_hub.domain.notebooks import Preset, Shape
from kqi_hub.domain.queues import QueueRules
from kqi_hub.services.board import AssociationStore, Board
from kqi_hub.services.pricing import Billing, Pricing
from kqi_hub.services.queues import Queues
from kqi_hub.settings.model import Settings
from kqi_hub.settings.queues import micro

_MB: Final = 1024
_HOUR_S: Final = 3600


def open_queues(
    settings: Settings, engine: Engine, associations: AssociationStore | None = None
) -> Queues:
    """Return the queues of this process, on its database."""
    store = SqlSnapshotStore(engine, settings.cluster.name)
    board = Board(
        store,
        associations or open_association_store(settings, engine),
        poll_rules(settings).stale_after_s,
    )
    return Queues(
        board=board,
        store=store,
        pricing=pricing_of(settings),
        rules=queue_rules_of(settings),
        presets=presets_of(settings),
    )


def pricing_of(settings: Settings) -> Pricing:
    """Return the site's rates."""
    rates = [
        Rate(
            queue=one.queue,
            gpu_type=one.gpu_type,
            cpu=micro(one.per_cpu),
            memory_gb=micro(one.per_memory_gb),
            gpu=micro(one.per_gpu),
            node=micro(one.per_node),
            rule=Rule(one.rule),
        )
        for one in settings.rate
    ]
    billing = settings.billing
    return Pricing(rates, Billing(billing.currency, billing.price_page or ""))


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
