"""What the doctor is given: values of the settings, and ways to ask."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from kqi_hub.domain.cluster import Freshness
from kqi_hub.domain.data_item_ports import Comparison
from kqi_hub.domain.health import DirectoryProbe, MachineProbe, SlurmProbe
from kqi_hub.domain.job import Job
from kqi_hub.domain.ports import Cluster, Door
from kqi_hub.domain.reconciliation import Reconciliation
from kqi_hub.services.checks.rate_checks import RateFacts
from kqi_hub.services.checks.store_checks import StoreSources
from kqi_hub.services.polling import PollRules


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The values of the settings that are looked at; paths as text."""

    cluster: str
    slurm_bin: str
    state_dir: str
    scratch_root: str
    sqlite_file: str | None
    directory_servers: tuple[str, ...]
    door_socket: str | None
    door_programs: tuple[str, ...]
    door_config: str
    rules: PollRules = field(default_factory=PollRules)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Ways to ask; the plain callables may block and are called aside."""

    cluster: Cluster
    slurm: SlurmProbe
    machine: MachineProbe
    directory: DirectoryProbe | None
    door: Door
    check_database: Callable[[], str]
    freshness: Callable[[], Freshness]
    # Jobs of notebooks that no session has, as the stored picture shows them.
    strays: Callable[[], Sequence[Job]]
    worker_holder: Callable[[], int | None]
    wall: Callable[[], float]
    store: StoreSources | None = None
    # What the worker's daily comparisons of store and database found.
    comparisons: Callable[[], Sequence[Comparison]] | None = None
    # What the last comparison of the book with Slurm's accounting found.
    reconciled: Callable[[], Reconciliation | None] | None = None
    # The cards of rates, beside what the settings file says.
    rates: Callable[[], RateFacts] | None = None
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
