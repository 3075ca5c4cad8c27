"""Write a card of rates as the TOML document that `rate_documents` reads."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from kqi_hub.domain.budgets import amount_text as amount
from kqi_hub.domain.money import Rule
from kqi_hub.domain.rate_cards import CardLine, RateCard, TenantTerms
from kqi_hub.domain.rate_documents import AMOUNTS, BOM

# Discounts are kept in millionths and written in hundredths.
_HUNDRED: Final = 100


def write_document(card: RateCard, zone: str, currency: str) -> str:
    """Write a card so that it is read again as it was."""
    head = [_beginning(card.from_at, zone), f'currency = "{currency}"']
    lines = [text for line in card.lines for text in _line(line)]
    body = [*lines, *_factors(card.qos), *_tenants(card.tenants)]
    return "\n".join([*head, *body]) + "\n"


def with_beginning(text: str, from_at: int, zone: str) -> str:
    """Return a document that says from when on, of one that does not."""
    return f"{_beginning(from_at, zone)}\n{text.removeprefix(BOM)}"


def _beginning(from_at: int, zone: str) -> str:
    there = datetime.fromtimestamp(from_at, ZoneInfo(zone))
    # TOML has no seconds in an offset, which zones had once.
    offset = there.utcoffset()
    if offset is not None and offset.total_seconds() % 60:
        there = there.astimezone(UTC)
    return f"from = {there.isoformat()}"


def _line(line: CardLine) -> Iterator[str]:
    yield from ("", "[[rate]]", f'queue = "{line.queue}"')
    if line.gpu_type:
        yield f'gpu_type = "{line.gpu_type}"'
    for key, field in AMOUNTS.items():
        if micro := getattr(line, field):
            yield f'{key} = "{amount(micro)}"'
    if line.rule is not Rule.SUM:
        yield f'rule = "{line.rule}"'
    if line.whole_node:
        yield "whole_node = true"


def _factors(qos: Mapping[str, int]) -> Iterator[str]:
    if qos:
        yield from ("", "[qos]")
    for name, factor in qos.items():
        yield f'{_key(name)} = "{amount(factor)}"'


def _tenants(tenants: Mapping[str, TenantTerms]) -> Iterator[str]:
    for name, terms in tenants.items():
        yield from ("", f"[tenant.{_key(name)}]")
        yield f'discount_percent = "{amount(terms.discount * _HUNDRED)}"'
        yield f'allowance = "{amount(terms.allowance)}"'


def _key(name: str) -> str:
    """Write a key in quotes; of what a name may hold two characters need an escape."""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
