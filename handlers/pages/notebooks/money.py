"""Prices and costs as the reader's language writes them."""

from decimal import Decimal
from typing import Final

from babel.numbers import format_currency, get_currency_precision

from handlers.ask import Ask
from kqi_hub.domain.money import MICRO, Price
from kqi_hub.i18n import N_

_EXACT: Final = "¤#,##0.00####"
_AN_HOUR: Final = N_("{price} an hour")
_FROM_TO: Final = N_("{least} to {price} an hour")


def in_money(ask: Ask, micro: int, exact: bool = False) -> str:
    """Write an amount in the site's currency.

    `exact`, and what is less than the currency's smallest coin, is not rounded.
    """
    amount = Decimal(micro) / MICRO
    currency = ask.deps.queues.pricing.billing.currency
    coin = Decimal(1).scaleb(-get_currency_precision(currency))
    is_odd = bool(amount % coin) and (exact or abs(amount) < coin)
    return format_currency(
        amount,
        currency,
        _EXACT if is_odd else None,
        locale=ask.texts.language,
        currency_digits=not is_odd,
    )


def hourly(ask: Ask, price: Price | None) -> str:
    """Write the price of an hour; empty where the site names none."""
    if price is None:
        return ""
    if price.is_free:
        return ask.texts.say(N_("free"))
    values = {
        "price": in_money(ask, price.per_hour, exact=True),
        "least": in_money(ask, price.at_least, exact=True),
    }
    return ask.texts.say(_FROM_TO if price.is_range else _AN_HOUR, values)
