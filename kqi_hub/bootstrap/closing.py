"""Orders to close months, joined."""

from sqlalchemy import Engine

from kqi_hub.bootstrap.database import open_database
from kqi_hub.bootstrap.intake import open_intake
from kqi_hub.bootstrap.ledger import open_ledger
from kqi_hub.bootstrap.reconciling import open_reconciler
from kqi_hub.db.close_orders import SqlCloseOrders
from kqi_hub.services.closing import Closing
from kqi_hub.settings.model import Settings


def open_closing(settings: Settings, engine: Engine | None = None) -> Closing:
    """Return what orders, and carries out, the close of months on this database."""
    opened = engine or open_database(settings)
    return Closing(
        open_ledger(settings, opened),
        SqlCloseOrders(opened, settings.cluster.name),
        open_intake(settings, opened).month_in_parts,
        open_reconciler(settings, opened).compare,
    )
