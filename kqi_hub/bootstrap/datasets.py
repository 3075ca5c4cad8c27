"""Datasets, lineage and trees, joined: for the portal, the hub and the worker."""

import time
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from kqi_hub.bootstrap.database import open_database, open_session_store
from kqi_hub.bootstrap.store import open_store
from kqi_hub.db.audit import SqlAuditLog
from kqi_hub.db.data_blockers import SqlBlockers
from kqi_hub.db.datasets import SqlDatasetStore
from kqi_hub.db.lineage import SqlLineageStore
from kqi_hub.db.runs import SqlRunStore
from kqi_hub.db.trees import SqlTreeStore
from kqi_hub.db.uses import SqlUseStore
from kqi_hub.services.datasets import Datasets
from kqi_hub.services.lineage import LineageGraph
from kqi_hub.services.session_dataset import SessionDatasets
from kqi_hub.services.staging import Staging
from kqi_hub.services.tree_keeping import TreeKeeper
from kqi_hub.settings.model import Settings

_DAY_S: Final = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class DatasetParts:
    """What the routes of datasets call."""

    datasets: Datasets
    lineage: LineageGraph
    staging: Staging


def open_datasets(settings: Settings, engine: Engine) -> DatasetParts:
    """Return the datasets of this process, on its database."""
    blockers = SqlBlockers(engine)
    return DatasetParts(
        datasets=Datasets(
            SqlDatasetStore(engine),
            SqlUseStore(engine),
            blockers,
            SqlAuditLog(engine),
            ZoneInfo(settings.site.timezone),
        ),
        lineage=LineageGraph(SqlLineageStore(engine), blockers),
        staging=open_staging(settings, engine),
    )


def open_staging(settings: Settings, engine: Engine) -> Staging:
    """Return what has datasets made ready at the store."""
    store = open_store(settings)
    return Staging(SqlDatasetStore(engine), SqlTreeStore(engine), store)


def open_session_datasets(settings: Settings, engine: Engine) -> SessionDatasets:
    """Return what notebooks' sessions read, for the hub's process."""
    staging = open_staging(settings, engine)
    return SessionDatasets(staging, SqlUseStore(engine), time.time)


def open_tree_keeper(settings: Settings) -> TreeKeeper:
    """Return what lets trees go in the worker."""
    engine = open_database(settings)
    return TreeKeeper(
        SqlTreeStore(engine),
        open_session_store(settings, engine),
        open_store(settings),
        unused_s=settings.store.tree_days * _DAY_S,
        runs=SqlRunStore(engine),
    )
