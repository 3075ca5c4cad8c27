"""The table of runs: how long they may take, and what all of them are told."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from kqi_hub.settings.contradiction import Contradiction
from kqi_hub.settings.field import about
from kqi_hub.settings.rules import Between, Each, Matches

_VARIABLE = Matches(
    r"[A-Za-z_][A-Za-z0-9_]{0,127}=[^\x00-\x1f\x7f]{0,4096}",
    "NAME=value on one line",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """Trainings, inferences and preprocessings: how long they run, what they are told.

    The Python of `notebooks.session_python` starts them, so it must be there on every
    compute node.
    """

    default_lifetime_hours: int = field(
        default=24,
        metadata=about("Time limit offered for a new run.", Between(1, 8760)),
    )
    longest_lifetime_hours: int = field(
        default=720,
        metadata=about(
            "Longest time limit that people may choose; a queue's own limit may be "
            "shorter.",
            Between(1, 8760),
        ),
    )
    images_kept_days: int = field(
        default=30,
        metadata=about(
            "Container images that no run of a person has used for so long, and for as "
            "long as a run may last, are removed from the person's scratch after "
            "another run.",
            Between(1, 3650),
        ),
    )
    variables: tuple[str, ...] = field(
        default=("COLUMNS=200",),
        metadata=about(
            "Environment variables of every run, such as those of a proxy; people may "
            "choose other values for them.",
            Each(_VARIABLE, least=0),
        ),
    )
    tokens: bool = field(
        default=True,
        metadata=about(
            "Whether each running job gets a token of its own, so that `kqi` works in "
            "it without a login. Nodes must reach hub.public_url."
        ),
    )
    ca_file: Path | None = field(
        default=None,
        metadata=about(
            "Certificates, as compute nodes see them, that vouch for hub.public_url; "
            "leave it out where the nodes know them anyway."
        ),
    )

    def contradictions(self) -> Iterator[Contradiction]:
        """Refuse an offer that nobody may take."""
        if self.default_lifetime_hours > self.longest_lifetime_hours:
            yield Contradiction(
                "default_lifetime_hours",
                str(self.default_lifetime_hours),
                f"at most longest_lifetime_hours ({self.longest_lifetime_hours})",
            )
