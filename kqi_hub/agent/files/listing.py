"""Pages of a folder, of whatever size: one pass, and no more kept than is shown."""

import base64
import binascii
import fnmatch
import heapq
import json
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from kqi_hub.agent.errors import Problem
from kqi_hub.agent.files.leaving import Leaving
from kqi_hub.agent.files.names import arrived, travelling
from kqi_hub.agent.files.places import Place, found, kind_of, opened_folder

SORTS: Final = ("name", "size", "time")
KINDS: Final = ("folder", "file", "link", "other")
MOST: Final = 5000
_CHECK_EVERY: Final = 1024
# What TensorBoard looks for in the folders that it is given.
_EVENTS: Final = ".tfevents."

_UNKNOWN: Final = {"kind": "other", "size": 0, "changed_at": 0.0, "mode": "?---------"}

# Folders first, then by what is asked for, then by name: no two are equal.
Key = tuple[int, Any, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which page of a folder."""

    sort: str = "name"
    descending: bool = False
    match: str = ""
    kinds: frozenset[str] = frozenset(KINDS)
    hidden: bool = True
    after: Key | None = None
    limit: int = 500


@dataclass(slots=True)
class Page:
    """Some entries of a folder; `next` asks for those that follow."""

    entries: list[dict[str, Any]] = field(default_factory=list)
    total: int = 0
    matched: int = 0
    next: str | None = None
    hints: list[str] = field(default_factory=list)
    absolute: str = ""
    may_change: bool = False


def page_of(place: Place, wanted: Wanted, leaving: Leaving) -> Page:
    """Return a page. Blocks, and ends early when the reader leaves."""
    page = Page()
    with found(place) as held:
        page.absolute = travelling(held.real)
        page.may_change = place.root.may_change and os.access(
            f"/proc/self/fd/{held.place}", os.W_OK | os.X_OK
        )
    with opened_folder(place) as folder:
        keys = _keys(folder, wanted, page, leaving)
        best = heapq.nlargest if wanted.descending else heapq.nsmallest
        # One more than is shown tells whether there are more.
        chosen = best(wanted.limit + 1, keys)
        shown = chosen[: wanted.limit]
        for key in shown:
            leaving.check()
            with suppress(FileNotFoundError):  # removed while we looked
                page.entries.append(entry(folder, key[2], place))
        if len(chosen) > wanted.limit:
            page.next = _cursor(shown[-1], wanted.sort)
    return page


def entry(folder: int, name: str, place: Place) -> dict[str, Any]:
    """Return what is shown of one name in a folder."""
    try:
        info = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except PermissionError:  # a folder that tells names and nothing else
        return {"name": travelling(name), **_UNKNOWN}
    shown = {"name": travelling(name), **about(info)}
    if stat.S_ISLNK(info.st_mode):
        shown["link"] = _link(folder, name, place)
    return shown


def about(info: os.stat_result) -> dict[str, Any]:
    """Return what a thing is, in the words of every answer."""
    return {
        "kind": kind_of(info.st_mode),
        "size": info.st_size,
        "changed_at": info.st_mtime,
        "mode": stat.filemode(info.st_mode),
    }


def read_cursor(text: str, sort: str) -> Key:
    """Return where a page begins."""
    wrong = Problem(400, "invalid-input", "`after` must be the `next` of a page.")
    try:
        said, rank, value, name = json.loads(base64.urlsafe_b64decode(text.encode()))
        own = arrived(value) if sort == "name" else int(value)
        key = (int(rank), own, arrived(name))
    except (ValueError, TypeError, AttributeError, binascii.Error):
        raise wrong from None
    if said != sort:
        raise wrong
    return key


def _cursor(key: Key, sort: str) -> str:
    rank, value, name = key
    text = travelling(value) if isinstance(value, str) else value
    said = json.dumps([sort, rank, text, travelling(name)])
    return base64.urlsafe_b64encode(said.encode()).decode()


def _keys(folder: int, wanted: Wanted, page: Page, leaving: Leaving) -> Iterator[Key]:
    """Go through a folder once, counting."""
    fits, value, after = _matcher(wanted), _value(wanted.sort), wanted.after
    folders_rank = 1 if wanted.descending else 0
    with os.scandir(folder) as entries:
        for one in _counted(entries, page, leaving):
            if not fits(one):
                continue
            page.matched += 1
            is_folder = one.is_dir(follow_symlinks=False)
            rank = folders_rank if is_folder else 1 - folders_rank
            try:
                key = (rank, value(one), one.name)
            except OSError:  # removed meanwhile, or a folder that only tells names
                key = (rank, 0, one.name)
            if after is None or (key < after if wanted.descending else key > after):
                yield key


def _counted(
    entries: Iterable[os.DirEntry[str]], page: Page, leaving: Leaving
) -> Iterator[os.DirEntry[str]]:
    """Count, note what is special, and stop when the reader has left."""
    has_events = False
    for one in entries:
        page.total += 1
        if page.total % _CHECK_EVERY == 0:
            leaving.check()
        if _EVENTS in one.name:
            has_events = True
        yield one
    if has_events:
        page.hints.append("tensorboard")


def _kind(one: os.DirEntry[str]) -> str:
    if one.is_symlink():
        return "link"
    if one.is_dir(follow_symlinks=False):
        return "folder"
    return "file" if one.is_file(follow_symlinks=False) else "other"


def _value(sort: str) -> Callable[[os.DirEntry[str]], Any]:
    if sort == "size":
        return lambda one: one.stat(follow_symlinks=False).st_size
    if sort == "time":
        return lambda one: one.stat(follow_symlinks=False).st_mtime_ns
    return lambda one: one.name.casefold()


def _matcher(wanted: Wanted) -> Callable[[os.DirEntry[str]], object]:
    """Return what tells whether an entry is wanted."""
    tests: list[Callable[[os.DirEntry[str]], object]] = []
    if not wanted.hidden:
        tests.append(lambda one: one.name[0] != ".")
    if wanted.match:
        fits = _pattern(arrived(wanted.match).casefold())
        tests.append(lambda one: fits(one.name.casefold()))
    if not wanted.kinds >= set(KINDS):
        tests.append(lambda one: _kind(one) in wanted.kinds)
    if len(tests) < 2:
        return tests[0] if tests else lambda one: True
    return lambda one: all(test(one) for test in tests)


def _pattern(folded: str) -> Callable[[str], object]:
    """Return what fits: a part of the name, or all of it with `*` and `?`."""
    if "*" in folded or "?" in folded:
        return re.compile(fnmatch.translate(folded.replace("[", "[[]"))).match
    return lambda name: folded in name


def _link(folder: int, name: str, place: Place) -> dict[str, str]:
    """Return what a link says and what it leads to, without opening that."""
    said = {"text": travelling(os.readlink(name, dir_fd=folder))}
    try:
        with found(place.below(name)) as held:
            return {**said, "to": held.kind}
    except Problem as problem:
        return {**said, "to": problem.code}
    except OSError:
        return {**said, "to": "nothing"}
