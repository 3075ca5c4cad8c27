"""Why data cannot be had, changed, or no more be kept.

Conflict
├── Blocked    something else needs the data as they are    409  5
└── NoRoom     a quota leaves no room for it                409  5
"""

from typing import Final

from kqi_hub.domain.data import Kind
from kqi_hub.domain.dataset_ports import Blocker
from kqi_hub.domain.errors import Conflict, InvalidInput, NotFound
from kqi_hub.domain.phrase import Phrase

_UNITS: Final = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_LONGEST_SHOWN: Final = 100


class Blocked(Conflict):
    """Data that may not change or go (KX-53); `blockers` says what needs them."""

    code = "blocked"

    def __init__(
        self, message: str, hint: str, blockers: tuple[Blocker, ...], **values: object
    ) -> None:
        super().__init__(message, hint, **values)
        self.blockers = blockers


class NoRoom(Conflict):
    """More than a quota allows."""

    code = "quota"


def no_data() -> NotFound:
    """Return the error for a number that no item has, or that cannot be seen."""
    return NotFound("There are no such data.", "Look at the list again.")


def no_file(path: str) -> NotFound:
    """Return the error for a file that an item has not, where all or none count."""
    return NotFound(
        "The data have no file {path}; nothing was removed.",
        "Look at their list again.",
        path=ascii(path)[:_LONGEST_SHOWN],
    )


def no_parent(tenant: str, data_id: int) -> InvalidInput:
    """Return the error for a parent that is no READY item of the tenant."""
    return InvalidInput(
        "parents: tenant {tenant} has no data {id}.",
        "Take the numbers from the list of data.",
        tenant=tenant,
        id=data_id,
    )


def no_upload() -> NotFound:
    """Return the error for a key that no upload of the person's has."""
    return NotFound("You have no such upload.", "Look at the list of your uploads.")


def data_changed() -> Conflict:
    """Return the error for a change of something that is no longer so."""
    return Conflict(
        "These data were changed meanwhile, on another page or by kqi.",
        "Look at what they are now, then change them again.",
    )


def data_busy() -> Conflict:
    """Return the error for a second change of an item's files at a time."""
    return Conflict(
        "Files of these data are being added or removed right now.",
        "Try again in a moment.",
    )


def data_gone() -> Conflict:
    """Return the error for an upload into data that were deleted."""
    return Conflict("The data of this upload were deleted.", "Create them again.")


def upload_over() -> Conflict:
    """Return the error for an upload that takes nothing any more."""
    return Conflict(
        "This upload was dropped, or its time was over.", "Begin a new one."
    )


def upload_busy() -> Conflict:
    """Return the error for dropping what is being published."""
    return Conflict(
        "This upload is being published right now.",
        "Look at it again in a moment, then delete the data.",
    )


def not_deletable(data_id: int, blockers: tuple[Blocker, ...]) -> Blocked:
    """Return the error for deleting what something needs."""
    return Blocked(
        "Data {id} cannot be deleted: {by} needs them as they are.",
        "Look at everything that uses them.",
        blockers,
        id=data_id,
        by=_said(blockers[0]),
    )


def not_changeable(data_id: int, blockers: tuple[Blocker, ...]) -> Blocked:
    """Return the error for changing the files of what something needs."""
    return Blocked(
        "The files of data {id} cannot be changed: {by} needs them as they are.",
        "Look at everything that uses them; make new data of the files instead.",
        blockers,
        id=data_id,
        by=_said(blockers[0]),
    )


def no_room_for_bytes(whose: str, used: int, most: int, new: int) -> NoRoom:
    """Return the error for more bytes than a quota has left."""
    return NoRoom(
        "There is no room for {size} more: {whose} keeps {used} of {most}, with what "
        "is being uploaded.",
        "Delete data that nobody needs, drop uploads that were given up, or ask the "
        "operators for more.",
        size=said_size(new),
        whose=whose,
        used=said_size(used),
        most=said_size(most),
    )


def no_room_for_files(whose: str, used: int, most: int, new: int) -> NoRoom:
    """Return the error for more files than a quota has left."""
    return NoRoom(
        "There is no room for so many more files, {files}: {whose} keeps {used} of "
        "{most}, with what is being uploaded.",
        "Delete data that nobody needs, pack small files together, or ask the "
        "operators for more.",
        files=new,
        whose=whose,
        used=used,
        most=most,
    )


def said_size(size: int) -> str:
    """Return an amount of bytes as people say it, in the units of the settings."""
    value, unit = float(size), 0
    while value >= 1023.95 and unit < len(_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return f"{size} bytes" if unit == 0 else f"{value:.1f} {_UNITS[unit]}"


def _said(blocker: Blocker) -> Phrase:
    number = blocker.thing.id
    name = f"{blocker.name} ({number})" if blocker.name else number
    match blocker.thing.kind:
        case Kind.DATASET:
            return Phrase("dataset {name}", name=name)
        case Kind.PREPROCESSING:
            return Phrase("preprocessing {name}", name=name)
        case Kind.TRAINING:
            return Phrase("training {name}", name=name)
        case Kind.INFERENCE:
            return Phrase("inference {name}", name=name)
        case other:
            return Phrase("{kind} {name}", kind=other.value, name=name)
