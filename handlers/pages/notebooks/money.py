"""Prices and costs as the reader's language writes them."""

from typing import Final

from babel.numbers import get_currency_precision

from handlers.ask import Ask
from kqi_hub.domain.money import Price, divided
from kqi_hub.face.formats import Formats
from kqi_hub.i18n import N_

_DIGITS: Final = 6
_FEW: Final = 2
_AN_HOUR: Final = N_("{price} an hour")
_FROM_TO: Final = N_("{least} to {price} an hour")


def in_money(ask: Ask, micro: int) -> str:
    """Write a cost to the smallest coin; what is less than one with two digits."""
    currency = ask.deps.queues.pricing.billing.currency
    coin = 10 ** max(0, _DIGITS - get_currency_precision(currency))
    return _money(ask, readable(micro, coin), currency)


def readable(micro: int, coin: int) -> int:
    """Return a cost rounded to the coin, or to two digits where it is less than one."""
    step = coin if micro >= coin else 10 ** max(0, len(str(micro)) - _FEW)
    return divided(micro, step) * step


def hourly(ask: Ask, price: Price | None) -> str:
    """Write the price of an hour; empty where the site names none."""
    if price is None:
        return ""
    if price.is_free:
        return ask.texts.say(N_("free"))
    currency = ask.deps.queues.pricing.billing.currency
    values = {
        "price": _money(ask, price.per_hour, currency),
        "least": _money(ask, price.at_least, currency),
    }
    return ask.texts.say(_FROM_TO if price.is_range else _AN_HOUR, values)


def _money(ask: Ask, micro: int, currency: str) -> str:
    formats = Formats(ask.texts.language, ask.deps.site.timezone)
    return formats.money(micro, currency)
