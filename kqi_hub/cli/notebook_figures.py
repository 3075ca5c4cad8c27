"""Times and costs of notebooks, as the command writes them."""

from collections.abc import Mapping
from typing import Any, Final

from kqi_hub.cli.amounts import money

_HOUR_MIN: Final = 60


def span(seconds: float | None) -> str:
    """Return a time with two units; empty where there is none."""
    if seconds is None:
        return ""
    minutes, left = divmod(int(seconds), 60)
    if minutes < _HOUR_MIN:
        return f"{minutes} min {left:02} s"
    return f"{minutes // _HOUR_MIN} h {minutes % _HOUR_MIN:02} min"


def cost(micro: int | None, price: Mapping[str, Any] | None) -> str:
    """Return a cost with its currency; empty where there is no price."""
    if micro is None or price is None:
        return ""
    if price["is_free"]:
        return "free"
    return money(micro, price["currency"])


def spent(micro: int | None, price: Mapping[str, Any] | None, *, is_open: bool) -> str:
    """Return a cost, and whether it may still differ on the bill."""
    told = cost(micro, price)
    return f"{told} (provisional)" if is_open and told and micro else told
