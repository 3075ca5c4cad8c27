"""Log lines that a person and a program can read, written only when things change."""

import json
import logging
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TextIO

from kqi_hub.domain.errors import KqiError

log = logging.getLogger("kqi_hub.worker")


class KeyValueFormatter(logging.Formatter):
    """Write `time level event key=value …`, one line a record."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; a traceback becomes one quoted value."""
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created))
        pairs = dict(getattr(record, "pairs", {}))
        if record.exc_info:
            pairs["traceback"] = self.formatException(record.exc_info)
        words = [stamp, record.levelname.lower(), record.getMessage()]
        words += [f"{key}={_value(value)}" for key, value in pairs.items()]
        return " ".join(words)


def write_to(stream: TextIO = sys.stderr) -> None:
    """Send our own log and the warnings of libraries to the stream."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(KeyValueFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    log.setLevel(logging.INFO)


def say(event: str, level: int = logging.INFO, **pairs: object) -> None:
    """Write one line about an event."""
    log.log(level, event, extra={"pairs": pairs})


@dataclass(frozen=True, slots=True)
class _Trouble:
    """A step that fails: its kind of error, since when, how often."""

    kind: str
    since: float
    times: int


class Journal:
    """Remember which step fails, so that a long fault makes two lines and no more."""

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        self._wall = wall
        self._troubles: dict[str, _Trouble] = {}

    def trouble(self, step: str, error: Exception | str) -> None:
        """Note that the step failed; write it when it is new or of another kind."""
        kind = _kind(error)
        known = self._troubles.get(step)
        since = self._wall() if known is None else known.since
        times = 1 if known is None else known.times + 1
        self._troubles[step] = _Trouble(kind, since, times)
        if known is None or known.kind != kind:
            self._write_trouble(step, kind, error)

    def fine(self, step: str) -> None:
        """Note that the step worked; write it when it failed before."""
        known = self._troubles.pop(step, None)
        if known is not None:
            lasted = round(self._wall() - known.since)
            say("back", step=step, after_s=lasted, failed=known.times)

    def _write_trouble(self, step: str, kind: str, error: Exception | str) -> None:
        since = round(self._troubles[step].since)
        pairs = {"step": step, "kind": kind, "since": since, "error": str(error)}
        unexpected = isinstance(error, Exception) and not isinstance(error, KqiError)
        log.warning(
            "trouble",
            extra={"pairs": pairs},
            exc_info=error if unexpected else None,  # type: ignore[arg-type]
        )


def _kind(error: Exception | str) -> str:
    if isinstance(error, KqiError):
        return error.code
    return "remark" if isinstance(error, str) else type(error).__name__


def _value(value: object) -> str:
    text = str(value)
    plain = text.isascii() and text.isprintable() and not set(text) & set(' "=\\')
    return text if plain and text else json.dumps(text, ensure_ascii=False)
