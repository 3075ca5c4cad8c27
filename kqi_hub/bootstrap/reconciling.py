"""The comparison of the book with Slurm, joined."""

from dataclasses import replace

from sqlalchemy import Engine

from kqi_hub.bootstrap.cluster import slurm_programs
from kqi_hub.bootstrap.database import open_database
from kqi_hub.db.use_records import SqlRecordedUse
from kqi_hub.domain.site_days import SiteDays
from kqi_hub.services.reconcile_use import UseReconciler
from kqi_hub.settings.model import Settings
from kqi_hub.slurm.use_reader import TIMEOUT_S, CliUseReader


def open_reconciler(settings: Settings, engine: Engine | None = None) -> UseReconciler:
    """Return what compares the book with Slurm's own accounting."""
    cluster = settings.cluster.name
    programs = replace(slurm_programs(settings), timeout_s=TIMEOUT_S)
    return UseReconciler(
        CliUseReader(cluster, programs),
        SqlRecordedUse(engine or open_database(settings), cluster),
        SiteDays(settings.site.timezone),
    )
