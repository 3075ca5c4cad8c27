"""Write settings back as TOML, and as plain data for JSON."""

import json
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from kqi_hub.settings.field import about_of
from kqi_hub.settings.model import Settings


def toml_value(value: object) -> str:
    """Write one setting's value."""
    if isinstance(value, tuple):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    # JSON's texts, numbers and truth values are TOML's.
    plain = str(value) if isinstance(value, Path) else value
    return json.dumps(plain, ensure_ascii=False)


def settings_toml(settings: Settings) -> str:
    """Write everything that is in force; the contents of secret files stay out."""
    return "\n".join(_lines(settings))


def settings_data(settings: Settings) -> dict[str, object]:
    """Return everything that is in force as what JSON can hold."""
    data: dict[str, object] = {}
    for table_field in fields(settings):
        table = getattr(settings, table_field.name)
        many = isinstance(table, tuple)
        data[table_field.name] = list(map(_data, table)) if many else _data(table)
    return data


def _data(table: Any) -> dict[str, object] | None:
    if table is None:
        return None
    return {field.name: _plain(getattr(table, field.name)) for field in fields(table)}


def _lines(settings: Settings) -> Iterator[str]:
    for table_field in fields(settings):
        name, table = table_field.name, getattr(settings, table_field.name)
        if isinstance(table, tuple):
            for one in table:
                yield from _table_lines(f"[[{name}]]", one)
        elif table is not None:
            yield from _table_lines(f"[{name}]", table)
        if not table:
            header = f"[[{name}]]" if isinstance(table, tuple) else f"[{name}]"
            yield f"# {header} is not set\n"


def _table_lines(header: str, table: Any) -> Iterator[str]:
    yield header
    for field in fields(table):
        value = getattr(table, field.name)
        note = "  # its contents are secret" if about_of(field).secret_file else ""
        if value is None:
            yield f"# {field.name} is not set"
        else:
            yield f"{field.name} = {toml_value(value)}{note}"
    yield ""


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return list(value)
    return str(value) if isinstance(value, Path) else value
