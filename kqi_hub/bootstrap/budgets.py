"""Budgets, quotas and their limits in Slurm, joined."""

import time
from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, Engine

from kqi_hub.bootstrap.cluster import slurm_programs
from kqi_hub.bootstrap.database import open_association_store, open_database
from kqi_hub.bootstrap.ledger import open_ledger
from kqi_hub.db.audit import SqlAuditLog
from kqi_hub.db.budgets import SqlBudgetStore
from kqi_hub.db.engine import reading
from kqi_hub.db.rate_cards import SqlRateCards, cards_in
from kqi_hub.db.snapshot import SqlSnapshotStore
from kqi_hub.db.unbooked_jobs import unbooked_jobs
from kqi_hub.db.written_limits import SqlWrittenLimits
from kqi_hub.domain.billing_weights import Advice, Worth, advice, worth
from kqi_hub.domain.job import Job
from kqi_hub.domain.queues import survey
from kqi_hub.domain.rate_cards import Tariff
from kqi_hub.domain.site_days import Period, SiteDays
from kqi_hub.services.budgets import Budgets
from kqi_hub.services.limits import Limits
from kqi_hub.services.people import tenants_of
from kqi_hub.services.purse import Purse
from kqi_hub.services.running_costs import OncePerPicture, running_costs, together
from kqi_hub.settings.model import Settings
from kqi_hub.slurm.limits import CliLimits


def open_budgets(settings: Settings, engine: Engine | None = None) -> Budgets:
    """Return the budgets of this process, on its database."""
    opened = engine or open_database(settings)
    cluster = settings.cluster.name
    days = SiteDays(settings.site.timezone)
    jobs = SqlSnapshotStore(opened, cluster)
    rates = SqlRateCards(opened, cluster, days, _publishes_nothing)
    known = open_association_store(settings, opened)

    def cost(found: Iterable[Job], period: Period, now: float) -> Mapping[str, int]:
        with reading(opened) as connection:
            tariff = Tariff(cards_in(connection, cluster))
        return running_costs(found, tariff, days, rates.shapes(), (period, now))

    live = OncePerPicture(
        lambda: (jobs.freshness().taken_at, rates.standing()),
        lambda period, now: cost(jobs.live_jobs(), period, now),
    )

    def running(period: Period, now: float) -> Mapping[str, int]:
        """Return what no bill has yet: of live jobs, and of those that ended just now.

        The second is asked anew each time: as soon as the book has them, they are gone.
        """
        alive = live(period, now)
        with reading(opened) as connection:
            ended = unbooked_jobs(connection, cluster, now)
        return together(alive, cost(ended, period, now)) if ended else alive

    return Budgets(
        SqlBudgetStore(opened, cluster),
        days,
        lambda: tenants_of(known.associations()),
        SqlAuditLog(opened),
        running=running,
        relief=open_ledger(settings, opened).relief,
    )


def open_purse(settings: Settings, budgets: Budgets) -> Purse:
    """Return what is asked of a tenant's money before a job."""
    billing = settings.billing
    return Purse(
        lambda: budgets.read(budgets.period),
        billing.currency,
        refuses=billing.empty_budget == "refuse",
    )


def open_limits(settings: Settings, budgets: Budgets | None = None) -> Limits:
    """Return what compares and writes limits in Slurm."""
    engine = open_database(settings)
    cluster = settings.cluster.name
    picture = SqlSnapshotStore(engine, cluster)
    used = budgets or open_budgets(settings, engine)

    def worths(tenants: frozenset[str]) -> Mapping[str, Worth]:
        with reading(engine) as connection:
            card = Tariff(cards_in(connection, cluster)).at(used.wall())
        scene = survey(picture.nodes(), picture.partitions(), (), ())
        supplies = tuple(scene.supplies.values())
        return {name: worth(card, supplies, name) for name in tenants}

    return Limits(
        CliLimits(cluster, slurm_programs(settings)),
        used,
        SqlWrittenLimits(engine, cluster),
        worths,
        SqlAuditLog(engine),
    )


def advised_weights(settings: Settings) -> tuple[Advice, ...]:
    """Return the TRESBillingWeights that fit the card of now, by queue. Blocks."""
    engine, cluster = open_database(settings), settings.cluster.name
    picture = SqlSnapshotStore(engine, cluster)
    with reading(engine) as connection:
        card = Tariff(cards_in(connection, cluster)).at(time.time())
    scene = survey(picture.nodes(), picture.partitions(), (), ())
    return advice(card, scene.supplies.values())


def _publishes_nothing(connection: Connection) -> None:
    """Stand for the lock of who publishes rates; here they are only read."""
    del connection
