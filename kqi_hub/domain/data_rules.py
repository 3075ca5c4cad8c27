"""What a data item may be called and tagged, and how much an upload may announce."""

from collections.abc import Iterable
from typing import Final

from kqi_hub.domain.datasets import checked_memo
from kqi_hub.domain.errors import InvalidInput
from kqi_hub.domain.one_line import is_one_line
from kqi_hub.domain.upload_ports import NewData

LONGEST_NAME: Final = 200
LONGEST_TAG: Final = 100
MOST_TAGS: Final = 100
MOST_PARENTS: Final = 1000
MOST_FILES: Final = 10_000_000
MOST_BYTES: Final = 2**60
_LARGEST_ID: Final = 2**63 - 1


def checked_data_name(name: str) -> str:
    """Return an item's name, trimmed (KX-52)."""
    trimmed = name.strip()
    if not is_one_line(trimmed, LONGEST_NAME):
        raise InvalidInput(
            "name: the name of data has 1 to {most} characters on one line.",
            "Choose a name such as street-signs-2026.",
            most=LONGEST_NAME,
        )
    return trimmed


def checked_tag(tag: str) -> str:
    """Return a tag, trimmed; filters could not say one with a comma or `!` in front."""
    trimmed = tag.strip()
    is_sayable = "," not in trimmed and not trimmed.startswith("!")
    if not is_one_line(trimmed, LONGEST_TAG) or not is_sayable:
        raise InvalidInput(
            "tag: {tag} cannot be a tag.",
            "A tag has 1 to {most} characters on one line, no comma, no ! in front.",
            tag=ascii(trimmed[:40]),
            most=LONGEST_TAG,
        )
    return trimmed


def checked_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Return an item's tags, each once, in order."""
    found = tuple(sorted({checked_tag(tag) for tag in tags}))
    if len(found) > MOST_TAGS:
        raise InvalidInput(
            "tags: data have up to {most} tags.", "Leave some out.", most=MOST_TAGS
        )
    return found


def checked_new(new: NewData) -> NewData:
    """Return what a new item is to be, cleaned."""
    parents = tuple(sorted(set(new.parents)))
    if len(parents) > MOST_PARENTS or any(not is_data_id(one) for one in parents):
        raise InvalidInput(
            "parents: data are made from up to {most} other data, by their numbers.",
            "Take the numbers from the list of data.",
            most=MOST_PARENTS,
        )
    return NewData(
        tenant=new.tenant,
        name=checked_data_name(new.name),
        memo=checked_memo(new.memo),
        tags=checked_tags(new.tags),
        parents=parents,
        origin=new.origin,
    )


def is_data_id(number: int) -> bool:
    """Tell whether a number can be one of a data item."""
    return 1 <= number <= _LARGEST_ID


def check_announced(files: int, size: int) -> None:
    """Refuse what no upload can be."""
    if not 0 <= files <= MOST_FILES:
        raise InvalidInput(
            "files: an upload has 0 to {most} files.",
            "Make several data items of them.",
            most=MOST_FILES,
        )
    if not 0 <= size <= MOST_BYTES or (size and not files):
        raise InvalidInput(
            "bytes: this is no sum of the sizes of so many files: {files}.",
            "Announce as many bytes as the files have together.",
            files=files,
        )
