"""Rates, joined: where cards are kept, prices that follow them, the first card."""

import time
from collections.abc import Container, Iterator
from dataclasses import dataclass

from sqlalchemy import Engine

from kqi_hub.bootstrap.database import open_database
from kqi_hub.db.audit import SqlAuditLog
from kqi_hub.db.job_records import SqlJobRecords
from kqi_hub.db.ledger import SqlBook, hold
from kqi_hub.db.rate_cards import SqlRateCards
from kqi_hub.db.snapshot import SqlSnapshotStore
from kqi_hub.domain.errors import Conflict
from kqi_hub.domain.job_records import JobRecord
from kqi_hub.domain.money import Rule
from kqi_hub.domain.rate_cards import CardLine, RateCard
from kqi_hub.domain.rate_ports import NewCard, Standing
from kqi_hub.domain.rate_writing import write_document
from kqi_hub.domain.site_days import SiteDays
from kqi_hub.services.checks.rate_checks import RateFacts
from kqi_hub.services.pricing import Billing, Pricing
from kqi_hub.services.rate_watch import RateWatch
from kqi_hub.services.rates import Rates
from kqi_hub.settings.model import Settings
from kqi_hub.settings.queues import micro

# Who publishes the first card: not a person.
SETTINGS = "settings"
_BATCH = 5000


@dataclass(frozen=True, slots=True)
class PastRuns:
    """Runs that are over, batch by batch (domain/rate_ports.py)."""

    records: SqlJobRecords

    def ended_since(self, moment: int) -> Iterator[JobRecord]:
        """Yield every run that ended after a moment."""
        after = 0
        while found := self.records.ended_since(moment, after, _BATCH):
            yield from (one.record for one in found)
            after = found[-1].id


@dataclass(frozen=True, slots=True)
class FirstCard:
    """Publish the settings' rates where no card is, as soon as the queues are known."""

    settings: Settings
    store: SqlRateCards
    picture: SqlSnapshotStore

    def publish(self) -> None:
        """Publish it, unless there is a card, or the worker has not seen Slurm yet."""
        if not self.settings.rate:
            return
        queues = self.picture.partitions()
        if not queues:
            return
        closed = self.store.last_closed()
        days = site_days(self.settings)
        begins = 0 if closed is None else days.month_ends(closed)
        exclusive = {one.name for one in queues if one.exclusive}
        card = card_of(self.settings, exclusive, begins)
        currency = self.settings.billing.currency
        document = write_document(card, days.zone, currency)
        first = NewCard(begins, document, SETTINGS)
        try:
            self.store.publish(first, Standing(), time.time())
        except Conflict:
            # Another process was first.
            return


def site_days(settings: Settings) -> SiteDays:
    """Return the days and months that bills are counted in."""
    return SiteDays(settings.site.timezone)


def card_of(settings: Settings, exclusive: Container[str], from_at: int) -> RateCard:
    """Return the settings' rates as a card; exclusive queues cost whole nodes."""
    lines = (
        CardLine(
            queue=one.queue,
            gpu_type=one.gpu_type,
            cpu=micro(one.per_cpu),
            memory_gb=micro(one.per_memory_gb),
            gpu=micro(one.per_gpu),
            node=micro(one.per_node),
            rule=Rule(one.rule),
            whole_node=one.queue in exclusive,
        )
        for one in settings.rate
    )
    return RateCard(0, from_at, tuple(lines))


def open_rate_cards(settings: Settings, engine: Engine) -> SqlRateCards:
    """Return where the cards are kept."""
    cluster = settings.cluster.name
    return SqlRateCards(
        engine, cluster, site_days(settings), lambda opened: hold(opened, cluster)
    )


def open_pricing(settings: Settings, engine: Engine) -> tuple[Pricing, RateWatch]:
    """Return prices, and what keeps them those of the cards."""
    billing = settings.billing
    told = Billing(billing.currency, billing.price_page or "")
    pricing = Pricing(billing=told, days=site_days(settings))
    store = open_rate_cards(settings, engine)
    picture = SqlSnapshotStore(engine, settings.cluster.name)
    first = FirstCard(settings, store, picture)
    return pricing, RateWatch(store, pricing, first.publish)


def open_rates(
    settings: Settings, engine: Engine, pricing: Pricing | None = None
) -> Rates:
    """Return what operators change rates with; `pricing` is told at once."""
    days, cluster = site_days(settings), settings.cluster.name
    book = SqlBook(engine, cluster, days)
    store = open_rate_cards(settings, engine)
    renew = _nothing if pricing is None else RateWatch(store, pricing).renew
    return Rates(
        store=store,
        runs=PastRuns(SqlJobRecords(engine, cluster, book)),
        book=book,
        audit=SqlAuditLog(engine),
        days=days,
        currency=settings.billing.currency,
        renew=renew,
    )


def rate_facts(settings: Settings) -> RateFacts:
    """Return the cards beside the settings' rates, for the doctor. Blocks."""
    cards = open_rate_cards(settings, open_database(settings)).cards()
    return RateFacts(cards, card_of(settings, (), 0).lines)


def _nothing() -> None:
    """Do nothing: no process's prices are to be told."""
