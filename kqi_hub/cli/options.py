"""Options that many commands share."""

import re
from collections.abc import Callable
from typing import Any, Final

import click

_UNITS: Final = {"m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}

json_option: Callable[..., Any] = click.option(
    "--json", "as_json", is_flag=True, help="Answer as JSON."
)


class Lifetime(click.ParamType[int]):
    """A time such as 12h, 30d or 8w, as seconds."""

    name = "lifetime"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Read it."""
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"([1-9][0-9]{0,5})([mhdw])", str(value).strip())
        if not found:
            self.fail(f"{value!r} is no time. Write 30m, 12h, 30d or 8w.", param, ctx)
        return int(found[1]) * _UNITS[found[2]]


LIFETIME: Final = Lifetime()
