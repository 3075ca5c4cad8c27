"""The table of runs: how long they may take, and what all of them are told."""

from collections.abc import Iterator
from dataclasses import dataclass, field

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
    variables: tuple[str, ...] = field(
        default=("COLUMNS=200",),
        metadata=about(
            "Environment variables of every run, such as those of a proxy; people may "
            "choose other values for them.",
            Each(_VARIABLE, least=0),
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
