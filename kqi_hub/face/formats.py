"""Numbers, sizes and times as the reader's language writes them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from babel.dates import format_timedelta
from babel.numbers import format_decimal
from babel.units import format_unit
from markupsafe import Markup

from kqi_hub.domain.money import Money
from kqi_hub.i18n import exact_money, rounded_money

_STEP: Final = 1024
_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_SPANS: Final = (("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1))
_TIME: Final = Markup('<time datetime="{}" title="{}">{}</time>')
# A list says few numbers many times, and Babel thinks about each for 40 µs.
_KEPT: Final = 4096


@dataclass(frozen=True, slots=True)
class Formats:
    """How one language writes things, in the site's time zone."""

    language: str
    timezone: str

    def filters(self) -> Mapping[str, Callable[..., object]]:
        """Return the filters that templates use."""
        return {
            "number": self.number,
            "size": self.size,
            "moment": self.moment,
            "duration": self.duration,
            "money": self.money,
            "cost": self.cost,
            "span": self.span,
        }

    def number(self, value: float) -> str:
        """Write a number with the separators of the language."""
        return _number(value, self.language)

    def size(self, count: int) -> str:
        """Write a number of bytes with the unit that fits."""
        shown, unit = float(count), _UNITS[0]
        for unit in _UNITS:
            if abs(shown) < _STEP or unit == _UNITS[-1]:
                break
            shown /= _STEP
        return f"{self.number(round(shown, 1))} {unit}"

    def money(self, micro: int, currency: str) -> str:
        """Write millionths of a currency's unit, with every digit that counts."""
        return exact_money(Money(micro, currency), self.language)

    def cost(self, micro: int, currency: str) -> str:
        """Write what something comes to, to the smallest coin."""
        return rounded_money(Money(micro, currency), self.language)

    def moment(self, epoch_s: float) -> Markup:
        """Write a time of the site's zone as Slurm does, the same in all languages."""
        local = datetime.fromtimestamp(epoch_s, ZoneInfo(self.timezone))
        exact = local.isoformat(timespec="seconds")
        return _TIME.format(
            exact, f"{exact} {self.timezone}", f"{local:%Y-%m-%d %H:%M}"
        )

    def duration(self, seconds: int) -> str:
        """Write a duration in its largest unit, such as 3 hours."""
        return format_timedelta(seconds, locale=self.language, threshold=1.2)

    def span(self, seconds: float) -> str:
        """Write a duration in its two largest units, such as 1 hr 20 min."""
        left, parts = max(0, int(seconds)), list[tuple[str, int]]()
        for unit, size in _SPANS:
            count, left = divmod(left, size)
            if count or (unit == "second" and not parts):
                parts.append((unit, count))
            elif parts:
                break
        return " ".join(
            _duration(count, unit, self.language) for unit, count in parts[:2]
        )


@lru_cache(maxsize=_KEPT)
def _number(value: float, language: str) -> str:
    return format_decimal(value, locale=language)


@lru_cache(maxsize=_KEPT)
def _duration(count: int, unit: str, language: str) -> str:
    return format_unit(count, f"duration-{unit}", "short", locale=language)
