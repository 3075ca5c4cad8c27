"""The notebooks of the portal's process, joined."""

from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from kqi_hub.bootstrap.notebook_rules import notebook_rules
from kqi_hub.db.audit import SqlAuditLog
from kqi_hub.db.datasets import SqlDatasetStore
from kqi_hub.db.notebook_sessions import SqlSessionStore
from kqi_hub.db.notebooks import SqlNotebookStore
from kqi_hub.db.runs import SqlRunStore
from kqi_hub.db.uses import SqlUseStore
from kqi_hub.domain.notebook_ports import HubServers
from kqi_hub.services.notebook_datasets import NotebookDatasets
from kqi_hub.services.notebook_parents import NotebookParents
from kqi_hub.services.notebooks import Notebooks
from kqi_hub.services.queues import Queues
from kqi_hub.settings.model import Settings


def open_notebooks(
    settings: Settings, engine: Engine, queues: Queues, hub: HubServers
) -> Notebooks:
    """Return the notebooks of this process, on its database."""
    return Notebooks(
        store=SqlNotebookStore(engine),
        session_store=SqlSessionStore(engine),
        hub=hub,
        queues=queues,
        rules=notebook_rules(settings),
        audit=SqlAuditLog(engine),
        datasets=NotebookDatasets(SqlDatasetStore(engine), SqlUseStore(engine)),
        parents=NotebookParents(SqlRunStore(engine)),
        stops_on_logout=settings.notebooks.on_logout == "stop",
        zone=ZoneInfo(settings.site.timezone),
    )
