"""How far what Slurm said last can be trusted, for the notice at the top of a page."""

from dataclasses import dataclass

from kqi_hub.services.board import Picture
from kqi_hub.services.freshness import Trust


@dataclass(frozen=True, slots=True)
class Aged:
    """The age of the picture, told when it is too old to be taken for now."""

    is_missing: bool
    is_stale: bool
    age_s: float

    @classmethod
    def of(cls, picture: Picture) -> "Aged":
        """Return how old a picture is."""
        age_s = picture.standing.age_s or 0.0
        missing, stale = Trust.NONE, Trust.STALE
        return cls(picture.trust is missing, picture.trust is stale, age_s)
