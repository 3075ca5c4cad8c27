"""What a person orders for an environment: read from JSON, checked, nothing guessed."""

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from kqi_hub.agent.environment_rules import RUN_ON
from kqi_hub.agent.errors import Problem

MOST_BYTES: Final = 2 * 1024 * 1024
_LONGEST_TEXT: Final = 1024 * 1024
# What ours are called; foreign ones are called anything that is one name of a folder.
OUR_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}", re.ASCII)
_LONGEST_NAME: Final = 255
_BASE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
# Slurm's own names; the same as in the scripts of notebooks.
_QUEUE: Final = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9_.+-]{0,127})?", re.ASCII)
_TENANT: Final = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9_.+-]{0,63})?", re.ASCII)
SOURCES: Final = ("base", "yml", "lock", "explicit", "import")
_TEXTS: Final = ("yml", "lock", "explicit", "import")
# What each operation may be told beside its name.
OPERATIONS: Final[Mapping[str, frozenset[str]]] = {
    "setup": frozenset({"base"}),
    "create": frozenset(SOURCES),
    "reset": frozenset({"base", "bring_back"}),
    "delete": frozenset(),
    "verify": frozenset(),
    "repair": frozenset(),
    "bring-back": frozenset(),
    "plugins": frozenset(),
}
_WHERE: Final = frozenset({"queue", "tenant", "run_on"})
FIRST_NAME: Final = "notebook"


@dataclass(frozen=True, slots=True)
class Order:
    """What to do, and where."""

    operation: str
    name: str
    options: Mapping[str, object]
    queue: str
    tenant: str
    run_on: str

    def document(self) -> dict[str, object]:
        """Return what `conda_bootstrap task` reads."""
        return {
            "version": 1,
            "operation": self.operation,
            "name": self.name,
            **self.options,
        }


def read_order(raw: bytes) -> Order:
    """Read an order; Problem 400 names what is wrong with it."""
    said = read_object(raw)
    operation = said.get("operation")
    if not isinstance(operation, str) or operation not in OPERATIONS:
        raise _wrong("operation", f"one of {', '.join(OPERATIONS)}")
    known = OPERATIONS[operation] | _WHERE | {"operation", "name"}
    if unknown := set(said) - known:
        raise Problem(
            400, "invalid-input",
            f"`{shown(min(unknown))}` is nothing that {operation} can be told.",
        )  # fmt: skip
    return Order(
        operation=operation,
        name=_name(operation, said),
        options=_options(operation, said),
        queue=_matching(said, "queue", _QUEUE, "the name of a queue"),
        tenant=_matching(said, "tenant", _TENANT, "the name of a tenant"),
        run_on=_run_on(said),
    )


def read_object(raw: bytes) -> dict[str, Any]:
    """Read one JSON object; Problem when it is none."""
    if len(raw) > MOST_BYTES:
        raise Problem(413, "too-large", f"At most {MOST_BYTES} bytes are read.")
    try:
        said = json.loads(raw)
    except (ValueError, RecursionError):
        raise Problem(400, "invalid-input", "The body must be JSON.") from None
    if not isinstance(said, dict):
        raise Problem(400, "invalid-input", "The body must be a JSON object.")
    return said


def existing_name(given: object) -> str:
    """Return the name of an environment that may be there, made by whatever tool."""
    if not isinstance(given, str) or not 0 < len(given) <= _LONGEST_NAME:
        raise _wrong("name", "the name of an environment")
    odd = "/" in given or given[0] in ".-" or any(map(_is_odd, given))
    if odd:
        raise _wrong("name", "the name of an environment")
    return given


def shown(text: object) -> str:
    """Return what somebody sent as it may stand in a message."""
    return ascii(text)[1:-1][:60] if isinstance(text, str) else "?"


def _is_odd(character: str) -> bool:
    return unicodedata.category(character).startswith("C")


def _name(operation: str, said: Mapping[str, Any]) -> str:
    given = said.get("name", FIRST_NAME if operation == "setup" else None)
    if operation not in {"setup", "create"}:
        return existing_name(given)
    if not isinstance(given, str) or not OUR_NAME.fullmatch(given):
        raise _wrong(
            "name",
            "1 to 40 of a-z, 0-9, `.`, `_` and `-`, and begin with a letter or digit",
        )
    return given


def _options(operation: str, said: Mapping[str, Any]) -> dict[str, object]:
    found: dict[str, object] = {}
    sources = [name for name in SOURCES if name in said]
    if operation == "create" and len(sources) != 1:
        raise Problem(
            400, "invalid-input", f"Exactly one is needed of {', '.join(SOURCES)}."
        )
    for name in sources:
        found[name] = _text(name, said[name]) if name in _TEXTS else _base(said[name])
    if "bring_back" in said:
        if not isinstance(said["bring_back"], bool):
            raise _wrong("bring_back", "true or false")
        found["bring_back"] = said["bring_back"]
    return found


def _base(given: object) -> str:
    if not isinstance(given, str) or not _BASE.fullmatch(given):
        raise _wrong("base", "the name of a base")
    return given


def _text(name: str, given: object) -> str:
    if not isinstance(given, str) or not given.strip() or "\0" in given:
        raise _wrong(name, "the text of a file")
    try:
        size = len(given.encode())
    except UnicodeEncodeError:
        raise _wrong(name, "the text of a file, in UTF-8") from None
    if size > _LONGEST_TEXT:
        raise Problem(
            413, "too-large", f"`{name}` has more than {_LONGEST_TEXT} bytes."
        )
    return given


def _matching(
    said: Mapping[str, Any], name: str, form: re.Pattern[str], expected: str
) -> str:
    given = said.get(name, "")
    if not isinstance(given, str) or not form.fullmatch(given):
        raise _wrong(name, expected)
    return given


def _run_on(said: Mapping[str, Any]) -> str:
    given = said.get("run_on", "")
    if given not in ("", *RUN_ON):
        raise _wrong("run_on", "job or hub")
    return str(given)


def _wrong(field: str, expected: str) -> Problem:
    return Problem(400, "invalid-input", f"`{field}` must be {expected}.")
