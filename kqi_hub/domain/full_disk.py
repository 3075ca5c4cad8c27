"""What programs say when a disk has no room, or a person's part of it is used up."""

from typing import Final

from kqi_hub.domain.errors import KqiError

_SAYINGS: Final = ("No space left on device", "Disk quota exceeded")


class NoRoom(KqiError):
    """A file that is needed cannot be made, for its disk is full: try again later."""

    code = "no-room"


def saying_of_full_disk(text: str) -> str:
    """Return what in some program's words is about a full disk; empty if nothing is."""
    return next((saying for saying in _SAYINGS if saying in text), "")
