"""The table of notebooks: how long, how many, and from which environment."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from kqi_hub.settings.contradiction import Contradiction
from kqi_hub.settings.field import about
from kqi_hub.settings.rules import Between, Each, Matches

_TENANT = Matches(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,63}", "the name of a Slurm account")


@dataclass(frozen=True, slots=True, kw_only=True)
class Notebooks:
    """Notebooks: how long they run, when an idle one is stopped, what serves them."""

    session_python: Path = field(
        default=Path("/opt/kqi-session/bin/python"),
        metadata=about(
            "Python of the environment that notebook servers run from, as the compute "
            "nodes see it: there `kqi-hub[session]` is installed."
        ),
    )
    node_domain: str = field(
        default="",
        metadata=about(
            "What is put behind a node's name to reach it from the hub, such as "
            "`.cluster.example`; empty where Slurm's names are enough.",
            Matches(r"(\.[A-Za-z0-9-]{1,63}){0,8}", "a domain that begins with a dot"),
        ),
    )
    interface: Literal["lab", "notebook"] = field(
        default="lab",
        metadata=about(
            "What a new notebook opens with where its owner chooses nothing else: "
            "JupyterLab (`lab`) or the simple Notebook pages (`notebook`)."
        ),
    )
    default_lifetime_hours: int = field(
        default=8,
        metadata=about("Lifetime offered for a new notebook.", Between(1, 8760)),
    )
    longest_lifetime_hours: int = field(
        default=100,
        metadata=about(
            "Longest lifetime that people may choose; a queue's own limit may be "
            "shorter.",
            Between(1, 8760),
        ),
    )
    unlimited_tenants: tuple[str, ...] = field(
        default=(),
        metadata=about(
            "Tenants whose notebooks may run as long as their queue allows.",
            Each(_TENANT, least=0),
        ),
    )
    idle_stop_minutes: int = field(
        default=60,
        metadata=about(
            "Minutes without any use after which a notebook is stopped; 0: never.",
            Between(0, 10080),
        ),
    )
    idle_warn_minutes: int = field(
        default=10,
        metadata=about(
            "Minutes before that in which people in it are warned.", Between(1, 1440)
        ),
    )
    end_warn_minutes: int = field(
        default=10,
        metadata=about(
            "Minutes before the end of its lifetime in which people are warned.",
            Between(1, 1000),
        ),
    )
    most_per_person: int = field(
        default=50,
        metadata=about("Notebooks that one person may keep.", Between(1, 10_000)),
    )
    longest_wait_hours: int = field(
        default=336,
        metadata=about(
            "Hours that a notebook may wait in a queue before it is given up.",
            Between(1, 8760),
        ),
    )
    longest_boot_s: int = field(
        default=120,
        metadata=about(
            "Seconds that a server may take to answer once it has its port.",
            Between(5, 3600),
        ),
    )
    on_logout: Literal["stop", "leave"] = field(
        default="stop",
        metadata=about(
            "What the page of logging out proposes for notebooks that run: `stop` or "
            "`leave`. People are asked."
        ),
    )
    agent_idle_minutes: int = field(
        default=30,
        metadata=about(
            "Minutes without use after which a person's agent ends.", Between(1, 1440)
        ),
    )

    def contradictions(self) -> Iterator[Contradiction]:
        """Refuse an offer that nobody may take, and a warning after the end."""
        if self.default_lifetime_hours > self.longest_lifetime_hours:
            yield Contradiction(
                "default_lifetime_hours",
                str(self.default_lifetime_hours),
                f"at most longest_lifetime_hours ({self.longest_lifetime_hours})",
            )
        if 0 < self.idle_stop_minutes <= self.idle_warn_minutes:
            yield Contradiction(
                "idle_warn_minutes",
                str(self.idle_warn_minutes),
                f"less than idle_stop_minutes ({self.idle_stop_minutes})",
            )
