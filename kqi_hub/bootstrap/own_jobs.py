"""All jobs of people as the portal shows them, joined."""

from sqlalchemy import Engine

from kqi_hub.bootstrap.cluster import open_cluster
from kqi_hub.db.snapshot import SqlSnapshotStore
from kqi_hub.services.own_jobs import OwnJobs
from kqi_hub.services.queues import Queues
from kqi_hub.settings.model import Settings


def open_own_jobs(settings: Settings, engine: Engine, queues: Queues) -> OwnJobs:
    """Return the jobs of this process's people, on its database and the door."""
    store = SqlSnapshotStore(engine, settings.cluster.name)
    return OwnJobs(store, open_cluster(settings), queues)
