"""What a reason to wait comes to: its kind, its words, what one may do."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from kqi_hub.domain.phrase import Phrase


class Kind(StrEnum):
    """What a job waits for."""

    TURN = "turn"
    LIMIT = "limit"
    HELD = "held"
    TIME = "time"
    OTHERS = "others"
    SITE = "site"
    NEVER = "never"
    STARTING = "starting"
    ODD = "odd"


@dataclass(frozen=True, slots=True)
class Reason:
    """The words for one of Slurm's reasons."""

    kind: Kind
    text: Phrase
    hint: Phrase | None = None
    can_act: bool = False


LESS: Final = Phrase("Cancel it, and submit it again asking for less.")
