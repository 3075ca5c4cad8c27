"""Preprocessings, joined: for the portal, and for the worker that collects them."""

from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from kqi_hub.bootstrap.cluster import open_door
from kqi_hub.bootstrap.data import quotas_of
from kqi_hub.bootstrap.store import open_store, ticket_key
from kqi_hub.db.array_use import SqlArrayUses
from kqi_hub.db.audit import SqlAuditLog
from kqi_hub.db.data_blockers import DatasetUsers, SqlBlockers
from kqi_hub.db.data_items import SqlDataStore
from kqi_hub.db.lineage import SqlLineageStore
from kqi_hub.db.outside_outputs import SqlOutsideOutputs
from kqi_hub.db.preprocessings import SqlPreprocessingStore
from kqi_hub.db.uploads import SqlUploadStore
from kqi_hub.db.uses import SqlUseStore
from kqi_hub.runas.run_outputs import DoorRunOutputs
from kqi_hub.services.array_use import Arrays
from kqi_hub.services.outside_runs import OutsideRuns
from kqi_hub.services.preprocessing_runs import PreprocessingRuns
from kqi_hub.services.preprocessings import Preprocessings
from kqi_hub.services.publishing import Publisher
from kqi_hub.services.run_outputs import RunOutputs
from kqi_hub.services.runs import Runs
from kqi_hub.services.uploads import Uploads
from kqi_hub.settings.model import Settings

_DAY_S: Final = 24 * 3600.0


def open_preprocessings(
    settings: Settings, engine: Engine, runs: Runs
) -> Preprocessings:
    """Return the preprocessings of the portal's process, on its database."""
    return Preprocessings(
        SqlPreprocessingStore(engine),
        runs,
        SqlDataStore(engine, DatasetUsers()),
        SqlAuditLog(engine),
        ZoneInfo(settings.site.timezone),
    )


def open_arrays(settings: Settings, engine: Engine, runs: Runs) -> Arrays:
    """Return what adds up the arrays of preprocessings."""
    return Arrays(runs, SqlArrayUses(engine, settings.cluster.name))


def open_outside_runs(
    engine: Engine, preprocessings: Preprocessings, uploads: Uploads
) -> OutsideRuns:
    """Return what takes results of preprocessings that were done elsewhere."""
    return OutsideRuns(preprocessings, SqlOutsideOutputs(engine), uploads)


def open_preprocessing_runs(
    settings: Settings, engine: Engine, runs: Runs, uploads: Uploads
) -> PreprocessingRuns:
    """Return what lists and deletes what preprocessings have made."""
    return PreprocessingRuns(
        runs,
        SqlDataStore(engine, DatasetUsers()),
        SqlUseStore(engine),
        SqlLineageStore(engine),
        SqlBlockers(engine),
        open_store(settings),
        SqlOutsideOutputs(engine),
        uploads,
    )


def open_run_outputs(settings: Settings, engine: Engine) -> RunOutputs:
    """Return what makes new data of what preprocessings leave."""
    users = DatasetUsers()
    rows, uploads = SqlDataStore(engine, users), SqlUploadStore(engine, users)
    store = open_store(settings)
    return RunOutputs(
        DoorRunOutputs(open_door(settings)),
        uploads,
        rows,
        SqlPreprocessingStore(engine),
        SqlUseStore(engine),
        store,
        Publisher(uploads, rows, store),
        partial(ticket_key, settings),
        quotas_of(settings),
        expire_s=settings.store.upload_days * _DAY_S,
    )
