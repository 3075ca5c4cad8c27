"""Use and bills as the portal shows them, joined."""

from sqlalchemy import Engine

from kqi_hub.db.bills import SqlBillStore
from kqi_hub.db.usage import SqlUsageStore
from kqi_hub.db.usage_top import SqlRunsAndTops
from kqi_hub.domain.site_days import SiteDays
from kqi_hub.services.bills import Bills
from kqi_hub.services.usage import Usage
from kqi_hub.settings.model import Settings


def open_usage(settings: Settings, engine: Engine) -> Usage:
    """Return what answers questions about use, on this process's database."""
    cluster, days = settings.cluster.name, SiteDays(settings.site.timezone)
    return Usage(
        SqlUsageStore(engine, cluster), SqlRunsAndTops(engine, cluster, days), days
    )


def open_bills(settings: Settings, engine: Engine) -> Bills:
    """Return what shows bills."""
    return Bills(SqlBillStore(engine, settings.cluster.name))
