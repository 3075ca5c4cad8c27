"""Turn what TOML says into the dataclasses of the model, collecting every mistake."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from difflib import get_close_matches
from types import NoneType
from typing import (
    Any,
    Final,
    Protocol,
    cast,
    get_args,
    get_origin,
    get_type_hints,
    runtime_checkable,
)

from kqi_hub.settings.contradiction import Contradiction
from kqi_hub.settings.field import About, about_of
from kqi_hub.settings.kinds import Kind, WrongKind, kind_of
from kqi_hub.settings.model import Settings

_LONGEST_FOUND: Final = 80


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in the file, at `table.key`."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


@runtime_checkable
class _Checked(Protocol):
    def contradictions(self) -> Iterator[Contradiction]: ...


def build(data: Mapping[str, object]) -> tuple[Settings | None, list[Problem]]:
    """Return the settings, or None and everything that is wrong."""
    problems = list(_unknown_tables(data))
    tables: dict[str, object] = {}
    for name, table in tables_of(Settings).items():
        given = data.get(name)
        if given is None and may_be_absent(name):
            continue
        make = _build_list if is_list(Settings, name) else _build_one
        built, wrong = make(name, table, given)
        problems.extend(wrong)
        tables[name] = built
    if problems:
        return None, problems
    # Each entry was built from the very dataclass that the field declares.
    settings = Settings(**cast("dict[str, Any]", tables))
    clashes = list(_contradictions("", settings))
    return (None, clashes) if clashes else (settings, [])


def tables_of(root: type) -> dict[str, type]:
    """Return the dataclass of each table, by the table's name."""
    found = {}
    for name, hint in get_type_hints(root).items():
        (table,) = (part for part in (hint, *get_args(hint)) if is_dataclass(part))
        found[name] = cast("type", table)
    return found


def is_optional(owner: type, name: str) -> bool:
    """Tell whether a field's annotation admits None."""
    return NoneType in get_args(get_type_hints(owner)[name])


def is_list(owner: type, name: str) -> bool:
    """Tell whether a field holds any number of tables, each written [[name]]."""
    return get_origin(get_type_hints(owner)[name]) is tuple


def may_be_absent(name: str) -> bool:
    """Tell whether a table need not be in the file though it has required keys."""
    return is_optional(Settings, name) or is_list(Settings, name)


def header_of(name: str) -> str:
    """Return a table's header as TOML writes it."""
    return f"[[{name}]]" if is_list(Settings, name) else f"[{name}]"


def is_required(field: Field[Any]) -> bool:
    """Tell whether the file must have the key."""
    return field.default is MISSING and field.default_factory is MISSING


def expectation(kind: Kind, said: About) -> str:
    """Say in words what a setting's value must be."""
    rules = [rule.expected for rule in said.rules]
    # A rule on text says more than "text" does.
    return ": ".join(rules if rules and kind.words == "text" else [kind.words, *rules])


def _unknown_tables(data: Mapping[str, object]) -> Iterator[Problem]:
    known = tables_of(Settings)
    for name, given in data.items():
        if name in known:
            continue
        what = "table" if isinstance(given, dict) else "key outside of every table"
        yield Problem(_shown_key(name), f"unknown {what}{_guess(name, list(known))}")


def _build_one(name: str, table: type, given: object) -> tuple[object, list[Problem]]:
    if not isinstance(given, dict | NoneType):
        return None, [Problem(name, f"expected a table, written [{name}]")]
    return _build_table(name, table, given or {})


def _build_list(name: str, table: type, given: object) -> tuple[object, list[Problem]]:
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        return None, [Problem(name, f"expected tables, each written [[{name}]]")]
    found = [
        _build_table(f"{name}[{number}]", table, one)
        for number, one in enumerate(given, start=1)
    ]
    wrong = [problem for _, problems in found for problem in problems]
    return tuple(built for built, _ in found), wrong


def _build_table(
    name: str, table: type, given: Mapping[str, object]
) -> tuple[object, list[Problem]]:
    problems = list(_unknown_keys(name, table, given))
    hints = get_type_hints(table)
    values: dict[str, object] = {}
    for field in fields(table):
        where = f"{name}.{field.name}"
        kind, said = kind_of(hints[field.name]), about_of(field)
        if field.name in given:
            try:
                values[field.name] = _judge(kind, said, given[field.name])
            except WrongKind:
                problems.append(_wrong(where, kind, said, given[field.name]))
        elif is_required(field):
            problems.append(
                Problem(where, f"missing, expected {expectation(kind, said)}")
            )
    if problems:
        return None, problems
    built = table(**values)
    return built, list(_contradictions(name, built))


def _judge(kind: Kind, said: About, given: object) -> object:
    value = kind.read(given)
    if not all(rule.allows(value) for rule in said.rules):
        raise WrongKind
    return value


def _wrong(where: str, kind: Kind, said: About, given: object) -> Problem:
    found = (
        "a value that is not shown here" if said.hides_wrong_values else _shown(given)
    )
    return Problem(where, f"found {found}, expected {expectation(kind, said)}")


def _contradictions(name: str, built: object) -> Iterator[Problem]:
    if isinstance(built, _Checked):
        for clash in built.contradictions():
            where = f"{name}.{clash.key}" if name else clash.key
            yield Problem(where, f"found {clash.found}, expected {clash.expected}")


def _unknown_keys(
    name: str, table: type, given: Mapping[str, object]
) -> Iterator[Problem]:
    # The value is not repeated: an unknown key may well be `password`.
    known = [field.name for field in fields(table)]
    for key in given:
        if key not in known:
            where = f"{name}.{_shown_key(key)}"
            advice = _elsewhere(key) or _guess(key, known)
            yield Problem(where, f"unknown key{advice}")


def _elsewhere(key: str) -> str:
    for name, table in tables_of(Settings).items():
        if key in {field.name for field in fields(table)}:
            return f"; it belongs into {header_of(name)}"
    return ""


def _guess(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; known: {', '.join(known)}"


def _shown_key(key: str) -> str:
    return key if key.isidentifier() else _shown(key)


def _shown(value: object) -> str:
    text = json.dumps(value, default=str)  # dates of TOML are no JSON
    return text if len(text) <= _LONGEST_FOUND else text[:_LONGEST_FOUND] + "..."
