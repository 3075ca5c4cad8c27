"""What the store refuses; `more` is what programs are told beside the words.

KqiError
├── UploadOver         the upload is published or dropped      410
├── TooMuch            more than the ticket allows             413
├── WrongBody          what came is no body of this kind       400
├── NeedsLength        a body without its length              411
├── NotPrepared        the tenant has no folder here           503
└── Conflict
    ├── WrongOffset    the file goes on somewhere else         409
    ├── OtherSize      it came with another size before        409
    ├── PathTaken      a file where a folder is, or reversed   409
    └── Busy           something else works on it              409
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from kqi_hub.domain.errors import Conflict, KqiError, StoreFull

_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


class Refusal(KqiError):
    """An error with fields for programs."""

    def __init__(
        self, message: str, hint: str = "", more: dict[str, object] | None = None
    ) -> None:
        super().__init__(message, hint)
        self.more = more or {}


class UploadOver(Refusal):
    """The upload takes nothing any more."""

    status, code = 410, "upload-over"


class TooMuch(Refusal):
    """More files or bytes than were announced."""

    status, code = 413, "too-much"


class WrongBody(Refusal):
    """A body, or a line, that cannot be read."""

    status, exit_code, code = 400, 2, "invalid-input"


class NeedsLength(Refusal):
    """A body that does not say how long it is."""

    status, code = 411, "needs-length"


class NotPrepared(Refusal):
    """A tenant whose folder root has not made yet."""

    status, code = 503, "not-prepared"


class Unusable(Refusal, Conflict):
    """A conflict with fields for programs."""

    status, exit_code = 409, 5


class WrongOffset(Unusable):
    """The bytes do not follow those that are here."""

    code = "offset"


class OtherSize(Unusable):
    """The file was announced with another size."""

    code = "other-size"


class PathTaken(Unusable):
    """The path is taken by another file or folder."""

    code = "path-taken"


class Busy(Unusable):
    """Something else works on the same thing right now."""

    code = "busy"


def is_full(error: OSError) -> bool:
    """Tell whether a disk, or somebody's part of it, has no room left."""
    return error.errno in _NO_ROOM


def disk_full() -> StoreFull:
    """Return the error of a full disk."""
    return StoreFull(
        "The disk of the data store is full; what came before is kept.",
        "Ask the operators for room, then go on: nothing is sent twice.",
    )


@contextmanager
def telling_full_disk() -> Iterator[None]:
    """Turn the system's errors about room into the store's own."""
    try:
        yield
    except OSError as error:
        if is_full(error):
            raise disk_full() from error
        raise
