"""Taking in accounting, joined."""

import gc
import time
from collections.abc import Callable
from typing import Final

from sqlalchemy import Engine

from kqi_hub.bootstrap.database import open_database
from kqi_hub.bootstrap.rates import FirstCard, open_rate_cards, site_days
from kqi_hub.db.job_records import SqlJobRecords
from kqi_hub.db.ledger import SqlBook
from kqi_hub.db.node_shapes import SqlNodeShapes
from kqi_hub.db.snapshot import SqlSnapshotStore
from kqi_hub.services.intake import Intake
from kqi_hub.services.shape_watch import ShapeWatch
from kqi_hub.settings.model import Settings
from kqi_hub.slurm.commands import environment
from kqi_hub.slurm.runner import Programs
from kqi_hub.slurm.usage_reader import CliUsageReader

# Of objects made before Python looks for rings among them; 700 as it comes.
_OBJECTS: Final = 50_000


def expect_many_rows() -> None:
    """Let this process make a million rows without looking for rings among them.

    The collector would go through every batch again and again: a tenth of the time.
    """
    gc.set_threshold(_OBJECTS, 20, 20)


def open_records(settings: Settings, engine: Engine | None = None) -> SqlJobRecords:
    """Return where accounting's records are kept, with the book behind it."""
    opened, cluster = engine or open_database(settings), settings.cluster.name
    book = SqlBook(opened, cluster, site_days(settings))
    return SqlJobRecords(opened, cluster, book)


def open_intake(settings: Settings, engine: Engine | None = None) -> Intake:
    """Return what reads this cluster's accounting into the database."""
    cluster = settings.cluster
    programs = Programs(cluster.slurm_bin, environment(cluster.slurm_conf))
    return Intake(
        CliUsageReader(programs),
        open_records(settings, engine),
        site_days(settings),
        time.time,
    )


def open_shape_watch(settings: Settings, engine: Engine | None = None) -> ShapeWatch:
    """Return what notes the nodes of the picture."""
    opened, cluster = engine or open_database(settings), settings.cluster.name
    picture = SqlSnapshotStore(opened, cluster)
    return ShapeWatch(picture.nodes, SqlNodeShapes(opened, cluster), time.time)


def open_first_card(settings: Settings) -> Callable[[], None]:
    """Return what publishes the settings' rates where there is no card yet."""
    engine = open_database(settings)
    store = open_rate_cards(settings, engine)
    picture = SqlSnapshotStore(engine, settings.cluster.name)

    def publish() -> None:
        if not store.standing().newest:
            FirstCard(settings, store, picture).publish()

    return publish
