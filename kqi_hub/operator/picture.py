"""The stored picture and the line that says how old it is, for several commands."""

import time
from dataclasses import asdict, dataclass

import click

from kqi_hub.bootstrap.cluster import poll_rules
from kqi_hub.bootstrap.database import open_snapshot_store
from kqi_hub.domain.ports import SnapshotStore
from kqi_hub.operator.columns import printable
from kqi_hub.operator.invocation import Invocation
from kqi_hub.services.freshness import Standing, Trust, judge


@dataclass(frozen=True, slots=True)
class Picture:
    """Where to read, and how far it can be trusted; never asks Slurm."""

    cluster: str
    store: SnapshotStore
    standing: Standing

    def say(self) -> None:
        """Print the line about age: on standard error, so that pipes stay clean."""
        trusted = self.standing.trust is Trust.FRESH
        text = printable(f"{self.cluster}: {self.standing.sentence}")
        click.secho(text, err=True, fg=None if trusted else "yellow", bold=not trusted)

    def as_json(self) -> dict[str, object]:
        """Return what programs must know about the age."""
        freshness = asdict(self.store.freshness())
        standing = self.standing
        told = {"trust": standing.trust, "age_s": standing.age_s}
        return {"cluster": self.cluster, **told, **freshness}


def open_picture(invocation: Invocation) -> Picture:
    """Open the stored picture that the settings name."""
    settings = invocation.settings
    store = open_snapshot_store(settings)
    stale_after_s = poll_rules(settings).stale_after_s
    standing = judge(store.freshness(), time.time(), stale_after_s)
    return Picture(settings.cluster.name, store, standing)
