"""How far what Slurm said last can be trusted, for the notice at the top of a page."""

from dataclasses import dataclass

from kqi_hub.services.board import Picture
from kqi_hub.services.freshness import Trust


@dataclass(frozen=True, slots=True)
class Aged:
    """The age of the picture, told when it is too old to be taken for now."""

    is_missing: bool
    is_stale: bool
    # It is old because Slurm does not answer, not because nobody asks it.
    is_silent: bool
    age_s: float

    @classmethod
    def of(cls, picture: Picture) -> "Aged":
        """Return how old a picture is."""
        age_s = picture.standing.age_s or 0.0
        missing, stale = Trust.NONE, Trust.STALE
        is_stale = picture.trust is stale
        is_silent = is_stale and _has_failed(picture)
        return cls(picture.trust is missing, is_stale, is_silent, age_s)


def _has_failed(picture: Picture) -> bool:
    """Tell whether somebody has asked Slurm since, in vain."""
    found = picture.freshness
    return bool(found.error) and (found.tried_at or 0) > (found.taken_at or 0)
