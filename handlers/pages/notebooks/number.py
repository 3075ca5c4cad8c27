"""The number of a notebook in an address."""

from typing import Final

from handlers.ask import Ask
from kqi_hub.domain.errors import NotFound

# The documents show it, the test of roles asks for it.
EXAMPLE: Final = {"notebook_id": "1"}
_LONGEST: Final = 9


def notebook_number(ask: Ask) -> int:
    """Return the number of the path; NotFound for what is no number."""
    return number_of(ask.path["notebook_id"])


def number_of(text: str) -> int:
    """Return a number as it is written; NotFound for what is none."""
    if not (text.isascii() and text.isdigit()) or len(text) > _LONGEST:
        raise NotFound("There is no such notebook.", "Look at the list again.")
    return int(text)
