"""What a dataset may hold and be called, and the key of the tree that it becomes."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from kqi_hub.domain.data import FLAT, Placed
from kqi_hub.domain.errors import InvalidInput
from kqi_hub.domain.one_line import has_hidden

LONGEST_NAME: Final = 200
LONGEST_MEMO: Final = 4000
MOST_ITEMS: Final = 100_000
MOST_TYPES: Final = 50
_TYPE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}", re.ASCII)
# What a file of JSON or a database cannot hold.
_UNFIT: Final = re.compile("[\0\ud800-\udfff]")
_KEY_DIGITS: Final = 40
_LARGEST_ID: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class NewDataset:
    """What somebody wants a new dataset to be."""

    tenant: str
    name: str
    memo: str = ""
    is_flat: bool = False
    entries: tuple[Placed, ...] = ()


def checked_name(name: str) -> str:
    """Return a dataset's name, trimmed."""
    trimmed = name.strip()
    if not 1 <= len(trimmed) <= LONGEST_NAME or has_hidden(trimmed):
        raise InvalidInput(
            "name: a dataset's name has 1 to {most} characters on one line.",
            "Choose a name such as street-signs-2026.",
            most=LONGEST_NAME,
        )
    return trimmed


def checked_memo(memo: str) -> str:
    """Return a memo as it is, of any lines."""
    if len(memo) > LONGEST_MEMO or _UNFIT.search(memo):
        raise InvalidInput(
            "memo: a memo has up to {most} characters, and no NUL or half a character "
            "among them.",
            "Shorten it, or type it again.",
            most=LONGEST_MEMO,
        )
    return memo


def checked_types(types: Sequence[str]) -> tuple[str, ...]:
    """Return a tenant's types of data: each becomes a folder in a job's input."""
    if not 1 <= len(types) <= MOST_TYPES:
        raise InvalidInput(
            "types: a tenant has 1 to {most} types.", "Send them all.", most=MOST_TYPES
        )
    seen: set[str] = set()
    for one in types:
        if _TYPE.fullmatch(one) is None:
            raise InvalidInput(
                "types: {type} cannot be a type.",
                "A type is a letter and up to 39 letters, digits, - and _.",
                type=ascii(one)[:80],
            )
        if one.lower() in seen:
            raise InvalidInput(
                "types: {type} is there twice.", "Leave one out.", type=one
            )
        seen.add(one.lower())
    return tuple(types)


def checked_entries(
    entries: Iterable[Placed], types: Iterable[str], is_flat: bool
) -> tuple[Placed, ...]:
    """Return the entries in order; each item once a type, once in a flat dataset."""
    found, allowed = tuple(entries), {FLAT} if is_flat else set(types)
    if len(found) > MOST_ITEMS:
        raise InvalidInput(
            "entries: a dataset has up to {most} data items.",
            "Put many files into one item rather than one into each.",
            most=MOST_ITEMS,
        )
    seen: set[Placed] = set()
    for one in found:
        _check_entry(one, allowed, is_flat)
        if one in seen:
            raise InvalidInput(
                "entries: data {id} is there twice in the same place.",
                "Leave one out.",
                id=one.data_id,
            )
        seen.add(one)
    return tuple(sorted(found, key=lambda one: (one.type, one.data_id)))


def _check_entry(one: Placed, allowed: set[str], is_flat: bool) -> None:
    if not 1 <= one.data_id <= _LARGEST_ID:
        raise InvalidInput(
            "entries: {id} is no number of a data item.",
            "Take the numbers from the list of data.",
            id=ascii(one.data_id)[:80],
        )
    if one.type in allowed:
        return
    if is_flat:
        raise InvalidInput(
            "entries: a flat dataset has no types.", "Send a list of numbers."
        )
    raise InvalidInput(
        "entries: this tenant has no type {type}.",
        "Choose from: {types}.",
        type=ascii(one.type)[:80],
        types=", ".join(sorted(allowed)),
    )


def folder_of(one: Placed) -> str:
    """Return where an item's files are, below a job's input folder."""
    return f"{one.type}/{one.data_id}" if one.type else str(one.data_id)


def tree_key(
    dataset_id: int, is_flat: bool, versions: Iterable[tuple[Placed, int]]
) -> str:
    """Return the name of a dataset's tree: another content has another name.

    The dataset is part of it, for the description in the tree names the dataset.
    """
    said = hashlib.sha256(f"kqi-tree-1\n{dataset_id}\n{is_flat:d}\n".encode())
    lines = sorted((one.type, one.data_id, version) for one, version in versions)
    for kind, data_id, version in lines:
        said.update(f"{kind}\t{data_id}\t{version}\n".encode())
    return said.hexdigest()[:_KEY_DIGITS]
