"""What programs say when a disk has no room, or a person's part of it is used up."""

from typing import Final

_SAYINGS: Final = ("No space left on device", "Disk quota exceeded")


def is_of_full_disk(text: str) -> bool:
    """Tell whether some program's words are about a full disk or quota."""
    return any(saying in text for saying in _SAYINGS)
