"""The book and the closing of months, joined."""

from sqlalchemy import Engine

from kqi_hub.bootstrap.database import open_association_store, open_database
from kqi_hub.bootstrap.intake import open_intake
from kqi_hub.bootstrap.rates import site_days
from kqi_hub.db.audit import SqlAuditLog
from kqi_hub.db.ledger_store import SqlLedger
from kqi_hub.services.ledger import Ledger
from kqi_hub.services.people import tenants_of
from kqi_hub.settings.model import Settings


def open_ledger(settings: Settings, engine: Engine | None = None) -> Ledger:
    """Return the book of this process, on its database."""
    opened = engine or open_database(settings)
    days = site_days(settings)
    known = open_association_store(settings, opened)
    intake = open_intake(settings, opened)
    return Ledger(
        SqlLedger(opened, settings.cluster.name, days),
        days,
        SqlAuditLog(opened),
        lambda: tenants_of(known.associations()),
        intake.read_month,
    )
