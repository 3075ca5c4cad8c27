"""The bodies of a session's words to the hub, checked to the letter."""

import re
from dataclasses import dataclass
from typing import Final

from tornado import web

_PORTS: Final = range(1024, 65536)
_EXIT_CODES: Final = range(256)
_MOST_SEEN: Final = 8
_LARGEST_SEEN: Final = 2**53
_SEEN: Final = re.compile(r"[a-z_]{1,20}", re.ASCII)
_PHASES: Final = frozenset({"node", "environment", "server"})
_ENDINGS: Final = frozenset({"idle", "finished"})


@dataclass(frozen=True, slots=True)
class Reached:
    """It has come so far."""

    phase: str


@dataclass(frozen=True, slots=True)
class Ending:
    """It is about to end, and this is what it saw."""

    why: str
    seen: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Ended:
    """Its server has ended."""

    exit_code: int


def read_port(body: object) -> int:
    """Return the port of exactly `{"port": ...}`."""
    return _number(_only(body, "port")["port"], _PORTS)


def read_word(body: object) -> Reached | Ending | Ended:
    """Return what a session tells: one thing, of the list."""
    if not isinstance(body, dict):
        raise _refused()
    keys = set(body)
    if keys == {"phase"}:
        return Reached(_one_of(body["phase"], _PHASES))
    if keys == {"ending", "seen"}:
        return Ending(_one_of(body["ending"], _ENDINGS), _seen(body["seen"]))
    end = _only(_only(body, "ended")["ended"], "exit_code")
    return Ended(_number(end["exit_code"], _EXIT_CODES))


def _one_of(value: object, allowed: frozenset[str]) -> str:
    if isinstance(value, str) and value in allowed:
        return value
    raise _refused()


def _seen(found: object) -> tuple[tuple[str, int], ...]:
    if not isinstance(found, dict) or len(found) > _MOST_SEEN:
        raise _refused()
    return tuple(
        (_name(name), _number(value, range(_LARGEST_SEEN)))
        for name, value in found.items()
    )


def _name(value: object) -> str:
    if isinstance(value, str) and _SEEN.fullmatch(value):
        return value
    raise _refused()


def _number(value: object, allowed: range) -> int:
    if type(value) is int and value in allowed:
        return value
    raise _refused()


def _only(body: object, key: str) -> dict[str, object]:
    if isinstance(body, dict) and set(body) == {key}:
        return body
    raise _refused()


def _refused() -> web.HTTPError:
    return web.HTTPError(400, "A session tells nothing of this kind.")
