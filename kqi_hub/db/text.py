"""Column types that keep any text a Slurm cluster may produce, on every database.

Names of jobs are bytes that people choose. PostgreSQL refuses NUL, no database takes
the lone surrogates by which Python keeps bytes that are not UTF-8, and SQLite's own
functions stop at NUL. Such characters are stored as U+001A (SUBSTITUTE) and four hex
digits; U+001A itself too, so that what comes back is exactly what went in. All other
text is stored as it is, and compares and sorts as one expects.
"""

import json
import re
from typing import Any, Final

from sqlalchemy import Dialect, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

from kqi_hub.domain.cluster import GpuCount

_MARK: Final = "\x1a"
_UNSAFE: Final = re.compile("[\0\x1a\ud800-\udfff]")
_MARKED: Final = re.compile("\x1a([0-9a-f]{4})")


def to_storable(text: str) -> str:
    """Write characters that a database refuses as marked hex digits."""
    # Nearly all text is plain: look before building anything.
    if _UNSAFE.search(text) is None:
        return text
    return _UNSAFE.sub(lambda found: f"{_MARK}{ord(found[0]):04x}", text)


def from_stored(text: str) -> str:
    """Undo `to_storable`."""
    if _MARK not in text:
        return text
    return _MARKED.sub(lambda found: chr(int(found[1], 16)), text)


class AnyText(TypeDecorator[str]):
    """Text of any characters."""

    impl: TypeEngine[Any] | type[TypeEngine[Any]] = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Make text fit for the database."""
        return None if value is None else to_storable(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """Give the text back as it was."""
        return None if value is None else from_stored(value)


class BytewiseText(AnyText):
    """Text of any characters that compares and sorts by its UTF-8, everywhere.

    PostgreSQL would sort by the language of the database.
    """

    impl = Text().with_variant(Text(collation="C"), "postgresql")
    cache_ok = True


class Words(TypeDecorator[tuple[str, ...]]):
    """A list of texts, kept as JSON, whose ASCII escapes hold any character."""

    impl = Text
    cache_ok = True

    def process_bind_param(
        self, value: tuple[str, ...] | None, dialect: Dialect
    ) -> str | None:
        """Write the list as JSON."""
        return None if value is None else json.dumps(value)

    def process_result_value(
        self, value: str | None, dialect: Dialect
    ) -> tuple[str, ...] | None:
        """Read the list from JSON."""
        return None if value is None else tuple(json.loads(value))


class Gpus(TypeDecorator[tuple[GpuCount, ...]]):
    """The GPUs of a node, kept as JSON: [[type, total, used], ...]."""

    impl = Text
    cache_ok = True

    def process_bind_param(
        self, value: tuple[GpuCount, ...] | None, dialect: Dialect
    ) -> str | None:
        """Write the counts as JSON."""
        if value is None:
            return None
        return json.dumps([(gpu.type, gpu.total, gpu.used) for gpu in value])

    def process_result_value(
        self, value: str | None, dialect: Dialect
    ) -> tuple[GpuCount, ...] | None:
        """Read the counts from JSON."""
        if value is None:
            return None
        rows: list[list[Any]] = json.loads(value)
        return tuple(GpuCount(*row) for row in rows)


class Amounts(TypeDecorator[tuple[tuple[str, int], ...]]):
    """Amounts of named things, kept as JSON: [["gres/gpu", 8], ...]."""

    impl = Text
    cache_ok = True

    def process_bind_param(
        self, value: tuple[tuple[str, int], ...] | None, dialect: Dialect
    ) -> str | None:
        """Write the amounts as JSON."""
        return None if value is None else json.dumps(value)

    def process_result_value(
        self, value: str | None, dialect: Dialect
    ) -> tuple[tuple[str, int], ...] | None:
        """Read the amounts from JSON."""
        if value is None:
            return None
        return tuple((name, amount) for name, amount in json.loads(value))
