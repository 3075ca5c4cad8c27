"""What a dataset is made of, from options or a JSON file."""

import json
import re
from typing import Any, Final, TextIO

import click

from kqi_hub.sdk.datasets import Entries

_NUMBERS: Final = re.compile(r"(\d{1,18})(?:-(\d{1,18}))?", re.ASCII)
_MOST: Final = 100_000


def entries_of(texts: tuple[str, ...], is_flat: bool) -> Entries:
    """Read TYPE=1,2,10-20 of each option; of a flat dataset without the type."""
    by_type: dict[str, list[int]] = {}
    flat: list[int] = []
    for text in texts:
        kind, sign, numbers = text.rpartition("=")
        if bool(sign) is is_flat:
            form = "1,2,10-20" if is_flat else "TYPE=1,2,10-20"
            raise click.UsageError(f"--data {text!r} is not {form}.")
        into = flat if is_flat else by_type.setdefault(kind, [])
        into += _numbers(numbers, text)
    return flat if is_flat else by_type


def described(file: TextIO) -> dict[str, Any]:
    """Read a description as `kqi dataset get -d` writes it."""
    try:
        said = json.load(file)
    except ValueError as error:
        raise click.UsageError(f"The file is not JSON: {error}.") from None
    if not isinstance(said, dict) or not isinstance(said.get("entries"), dict | list):
        raise click.UsageError(
            'The file needs "entries": {"training": [1, 2]}, or [1, 2] when flat.'
        )
    return said


def _numbers(text: str, whole: str) -> list[int]:
    found: list[int] = []
    for word in text.split(","):
        match = _NUMBERS.fullmatch(word.strip())
        if match is None:
            raise click.UsageError(f"--data {whole!r}: {word!r} is no number.")
        first = int(match[1])
        last = int(match[2] or first)
        if not 0 <= last - first < _MOST:
            raise click.UsageError(f"--data {whole!r}: {word!r} is no range.")
        found += range(first, last + 1)
    return found
