"""The table of environments: what they begin with, and where they are made."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from kqi_hub.settings.field import about
from kqi_hub.settings.rules import Between, Matches


@dataclass(frozen=True, slots=True, kw_only=True)
class Environments:
    """People's conda environments: what they begin with, and where they are made.

    The Python of `notebooks.session_python` makes them: `kqi-hub[session]` holds what
    is needed. With `run_on = "hub"` it must be on the hub's machine too.
    """

    site: Path = field(
        default=Path("/opt/kqi-environments"),
        metadata=about(
            "Folder with the site's bases and packages, the same path on every node "
            "and on the hub's machine; docs/operators/environments.md tells how it "
            "is filled."
        ),
    )
    run_on: Literal["job", "hub"] = field(
        default="job",
        metadata=about(
            "`job`: each operation is a Slurm job of the person's; `hub`: a process "
            "of the person's on the hub's machine."
        ),
    )
    queue: str = field(
        default="",
        metadata=about(
            "Queue of these jobs where nobody chooses one; empty: a queue that is "
            "free of charge is proposed, or Slurm's own default.",
            Matches(r"([A-Za-z0-9_][A-Za-z0-9_.+-]{0,127})?", "the name of a queue"),
        ),
    )
    cpus: int = field(
        default=2, metadata=about("CPUs of such a job.", Between(1, 1024))
    )
    memory_mb: int = field(
        default=4096,
        metadata=about("Memory of such a job, in MB.", Between(256, 2**20)),
    )
    minutes: int = field(
        default=60,
        metadata=about("Minutes that such a job may take.", Between(2, 1440)),
    )
