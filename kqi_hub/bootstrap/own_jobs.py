"""All jobs of people as the portal shows them, joined."""

import time
from typing import Final

from sqlalchemy import Engine

from kqi_hub.bootstrap.cluster import open_cluster
from kqi_hub.bootstrap.database import open_database
from kqi_hub.db.job_history import SqlJobHistory
from kqi_hub.db.runs import SqlRunStore
from kqi_hub.db.snapshot import SqlSnapshotStore
from kqi_hub.services.job_history import HistoryReader, JobHistory
from kqi_hub.services.own_jobs import OwnJobs
from kqi_hub.services.queues import Queues
from kqi_hub.settings.model import Settings

_HOUR_S: Final = 3600.0


def open_own_jobs(settings: Settings, engine: Engine, queues: Queues) -> OwnJobs:
    """Return the jobs of this process's people, on its database and the door."""
    store = SqlSnapshotStore(engine, settings.cluster.name)
    return OwnJobs(store, SqlRunStore(engine), open_cluster(settings), queues)


def open_job_history(settings: Settings, reader: HistoryReader) -> JobHistory:
    """Return what the worker takes over from accounting."""
    cluster = settings.cluster
    store = SqlJobHistory(open_database(settings), cluster.name)
    return JobHistory(reader, store, cluster.keep_ended_hours * _HOUR_S, time.time)
