"""Prices and costs as the reader's language writes them."""

from typing import Final

from handlers.ask import Ask
from kqi_hub.domain.money import Money, Price
from kqi_hub.i18n import N_, exact_money

_AN_HOUR: Final = N_("{price} an hour")
_FROM_TO: Final = N_("{least} to {price} an hour")


def in_money(ask: Ask, micro: int) -> str:
    """Write an amount to the smallest coin; what is less than one with two digits."""
    return ask.texts.money(Money(micro, _currency(ask)))


def in_exact_money(ask: Ask, micro: int) -> str:
    """Write an amount with every digit that counts."""
    return exact_money(Money(micro, _currency(ask)), ask.texts.language)


def hourly(ask: Ask, price: Price | None) -> str:
    """Write the price of an hour; empty where the site names none."""
    if price is None:
        return ""
    if price.is_free:
        return ask.texts.say(N_("free"))
    values = {
        "price": in_exact_money(ask, price.per_hour),
        "least": in_exact_money(ask, price.at_least),
    }
    return ask.texts.say(_FROM_TO if price.is_range else _AN_HOUR, values)


def _currency(ask: Ask) -> str:
    return ask.deps.queues.pricing.billing.currency
