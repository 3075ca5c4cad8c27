"""Moments as operators read and type them."""

import re
import time
from datetime import UTC, datetime
from typing import Any, Final

import click

_UNITS: Final = {"m": 60, "h": 3600, "d": 86_400}


def moment(epoch_s: float) -> str:
    """Write a moment in UTC, to the second."""
    return datetime.fromtimestamp(epoch_s, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


class Since(click.ParamType[float]):
    """A moment: 2026-11-21, 2026-11-21T09:30 (UTC), or 30m, 12h, 7d ago."""

    name = "WHEN"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return epoch seconds."""
        ago = re.fullmatch(r"(\d{1,6})([mhd])", str(value))
        if ago is not None:
            return time.time() - int(ago[1]) * _UNITS[ago[2]]
        try:
            given = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no moment: {self.__doc__}", param, ctx)
        return (given if given.tzinfo else given.replace(tzinfo=UTC)).timestamp()
