"""What an upload takes, and what it refuses before a byte is kept."""

from collections.abc import Iterable

from kqi_hub.domain.tickets import Ticket
from kqi_hub.store.errors import OtherSize, PathTaken, TooMuch
from kqi_hub.store.file_list import FileList, Totals


def check_free(known: FileList, path: str) -> None:
    """Refuse a path of which a part is a file, or which is a folder already."""
    taken = known.find(_folders_of(path))
    if taken:
        raise _path_taken(path, next(iter(taken)))
    if known.has_below(path):
        raise _path_taken(path, path)


def check_among(paths: Iterable[str]) -> None:
    """Refuse paths of which one is a folder of another."""
    every = set(paths)
    for path in every:
        for folder in _folders_of(path):
            if folder in every:
                raise _path_taken(path, folder)


def check_amount(ticket: Ticket, begun: Totals, files: int, size: int) -> None:
    """Refuse more files or bytes than the ticket allows."""
    if begun.files + files > ticket.files or begun.bytes + size > ticket.bytes:
        raise TooMuch(
            f"The upload was announced with {ticket.files} files and "
            f"{ticket.bytes} bytes; this would be more.",
            "Finish it, and add the other files in another upload.",
        )


def other_size(path: str, size: int) -> OtherSize:
    """Return the error of a file that had another size before."""
    return OtherSize(
        f"The file {path!r} was announced with {size} bytes before.",
        "It has changed meanwhile: drop the upload and begin again.",
        {"path": path, "size": size},
    )


def _path_taken(path: str, other: str) -> PathTaken:
    return PathTaken(
        f"{path!r} cannot be kept: {other!r} is a file and a folder at once.",
        "Rename one of them.",
        {"path": path},
    )


def _folders_of(path: str) -> list[str]:
    names = path.split("/")[:-1]
    return ["/".join(names[: depth + 1]) for depth in range(len(names))]
