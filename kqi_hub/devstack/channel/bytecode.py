"""Compile what a package brings, as channels do for packages of one Python version.

Packages for every version (noarch) are compiled where they are installed.
"""

import importlib.util
import marshal
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from kqi_hub.devstack.channel.package import PLACEHOLDER, Entry, Package

# Large, and imported by nobody here.
_TESTS: Final = frozenset({"test", "tests"})
# A pyc that holds as long as its source has this content, whatever its time.
_CHECKED_HASH: Final = (0b11).to_bytes(4, "little")


def with_bytecode(package: Package) -> Package:
    """Return a package with the bytecode of its modules."""
    if package.noarch:
        return package
    return replace(package, entries=(*package.entries, *_compiled(package.entries)))


def _compiled(entries: tuple[Entry, ...]) -> Iterator[Entry]:
    for entry in entries:
        if _is_module(entry):
            data = _pyc(entry)
            if data is not None:
                yield Entry(importlib.util.cache_from_source(entry.path), data)


def _is_module(entry: Entry) -> bool:
    """Tell whether it is likely to be imported, and stays as it is when installed."""
    return (
        entry.path.startswith("lib/python")
        and entry.path.endswith(".py")
        and entry.link_to is None
        and PLACEHOLDER.encode() not in entry.data
        and not _TESTS.intersection(entry.path.split("/"))
    )


def _pyc(entry: Entry) -> bytes | None:
    """Return a module's bytecode; None of a template or a test that is no Python."""
    try:
        code = compile(entry.data, entry.path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError):
        return None
    digest = importlib.util.source_hash(entry.data)
    return importlib.util.MAGIC_NUMBER + _CHECKED_HASH + digest + marshal.dumps(code)
