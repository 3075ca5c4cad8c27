"""What `kqi-hub repair` looks at, joined."""

from kqi_hub.bootstrap.cluster import open_cluster
from kqi_hub.bootstrap.database import open_database
from kqi_hub.db.notebook_sessions import SqlSessionStore
from kqi_hub.db.snapshot import SqlSnapshotStore
from kqi_hub.services.repair import Sources
from kqi_hub.settings.model import Settings


def repair_sources(settings: Settings) -> Sources:
    """Return sessions, picture and Slurm of this site."""
    engine, cluster = open_database(settings), open_cluster(settings)
    snapshot = SqlSnapshotStore(engine, settings.cluster.name)
    return Sources(SqlSessionStore(engine), snapshot, cluster, cluster)
