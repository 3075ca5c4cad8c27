"""Read a card of rates from a TOML document; every fault is told with its place.

Amounts are text, such as "0.25", or whole numbers; never floats, which are not exact.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from kqi_hub.domain.errors import InvalidInput
from kqi_hub.domain.money import MICRO, Rule
from kqi_hub.domain.phrase import Phrase
from kqi_hub.domain.rate_cards import (
    EVERY_QUEUE,
    WHOLE,
    CardLine,
    RateCard,
    TenantTerms,
)

LONGEST: Final = 256 * 1024
BOM: Final = "\ufeff"
_MOST_LINES: Final = 2000
_MOST_FAULTS: Final = 50
_LONGEST_FOUND: Final = 60
_AMOUNT: Final = re.compile(r"(0|[1-9][0-9]{0,8})(\.[0-9]{1,6})?", re.ASCII)
_PERCENT: Final = re.compile(r"(0|[1-9][0-9]?|100)(\.[0-9]{1,4})?", re.ASCII)
_QUEUE: Final = re.compile(r"\*|[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)
_TYPE: Final = re.compile(r"[A-Za-z0-9_.-]{0,40}", re.ASCII)
_LONGEST_NAME: Final = 64
_FIRST_YEAR: Final = 1970
_LAST_YEAR: Final = 2200

# The keys of a line that are amounts, and the field of CardLine that each fills.
AMOUNTS: Final = {
    "per_cpu": "cpu",
    "per_memory_gb": "memory_gb",
    "per_gpu": "gpu",
    "per_node": "node",
    "minimum": "minimum",
}
_LINE_KEYS: Final = ("queue", "gpu_type", *AMOUNTS, "rule", "whole_node")
_TERMS_KEYS: Final = ("discount_percent", "allowance")
_KEYS: Final = ("from", "currency", "rate", "qos", "tenant")


@dataclass(frozen=True, slots=True)
class Fault:
    """One mistake of a document: where, what stands there, what should."""

    where: str
    found: str
    expected: Phrase

    def __str__(self) -> str:
        return f"{self.where}: found {self.found}, expected {self.expected}"


class WrongRates(InvalidInput):
    """A card of rates cannot be read; `faults` has everything that is wrong."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__(
            "The rates cannot be read: {faults}.",
            "Correct the document; docs/operators/accounting.md explains every key.",
            faults="; ".join(map(str, faults)),
        )
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Draft:
    """What a document says; `from_at` is None where it does not say from when on."""

    card: RateCard
    from_at: int | None


def read_document(text: str, zone: str, currency: str | None = None) -> Draft:
    """Read a card; WrongRates with every fault. Dates are those of the zone.

    With a currency it must be in that one, if it names one.
    """
    if len(text) > LONGEST:
        most = Phrase("at most {most}", most=LONGEST)
        raise WrongRates((_fault("document", len(text), most),))
    try:
        data = tomllib.loads(text.removeprefix(BOM).replace("\r\n", "\n"))
    except (ValueError, RecursionError) as error:
        # Impossible dates leave tomllib as plain ValueErrors.
        fault = _fault("document", str(error), Phrase("a TOML document"))
        raise WrongRates((fault,)) from error
    reader = _Reader(ZoneInfo(zone), currency)
    draft = reader.read(data)
    if reader.faults:
        raise WrongRates(tuple(reader.faults[:_MOST_FAULTS]))
    return draft


def _fault(where: str, found: object, expected: Phrase) -> Fault:
    text = found if isinstance(found, str) else repr(found)
    short = text if len(text) <= _LONGEST_FOUND else text[:_LONGEST_FOUND] + "…"
    return Fault(where, f'"{short}"' if isinstance(found, str) else short, expected)


class _Reader:
    """Read a document part by part; what is wrong is collected, and passed over."""

    def __init__(self, zone: ZoneInfo, currency: str | None) -> None:
        self._zone = zone
        self._currency = currency
        self.faults: list[Fault] = []

    def read(self, data: Mapping[str, object]) -> Draft:
        self._known_keys("", data, _KEYS)
        here = self._currency
        money = data.get("currency", here)
        if here is not None and money != here:
            self._wrong("currency", money, Phrase('"{currency}"', currency=here))
        from_at = self._moment(data["from"]) if "from" in data else None
        card = RateCard(
            version=0,
            from_at=from_at or 0,
            lines=tuple(self._lines(data.get("rate", []))),
            qos=dict(self._factors(data.get("qos", {}))),
            tenants=dict(self._tenants(data.get("tenant", {}))),
        )
        return Draft(card, from_at)

    def _wrong(self, where: str, found: object, expected: Phrase) -> None:
        self.faults.append(_fault(where, found, expected))

    def _known_keys(
        self, where: str, table: Mapping[str, object], known: tuple[str, ...]
    ) -> None:
        for key in table:
            if key not in known:
                place = f"{where}.{key}" if where else key
                names = Phrase("one of the keys {keys}", keys=", ".join(known))
                self._wrong(place[:_LONGEST_FOUND], key, names)

    def _moment(self, given: object) -> int | None:
        if isinstance(given, datetime):
            there = given if given.tzinfo else given.replace(tzinfo=self._zone)
        elif isinstance(given, date):
            there = datetime.combine(given, time(), self._zone)
        else:
            example = Phrase("a date such as 2026-12-01, without quotes")
            self._wrong("from", given, example)
            return None
        # The year 1 has no moment in some zones.
        if not _FIRST_YEAR <= there.year <= _LAST_YEAR or there.timestamp() < 0:
            self._wrong("from", str(given), Phrase("a date from 1970 to 2200"))
            return None
        return int(there.timestamp())

    def _lines(self, given: object) -> Iterator[CardLine]:
        if not isinstance(given, list) or not all(isinstance(x, dict) for x in given):
            self._wrong("rate", given, Phrase("tables, each written [[rate]]"))
            return
        if len(given) > _MOST_LINES:
            self._wrong("rate", len(given), Phrase("at most {most}", most=_MOST_LINES))
            return
        seen: set[tuple[str, str]] = set()
        for number, table in enumerate(given, 1):
            line = self._line(f"rate[{number}]", table)
            if (line.queue, line.gpu_type) in seen:
                twice = f"{line.queue} {line.gpu_type}".strip()
                once = Phrase("each queue and GPU type only once")
                self._wrong(f"rate[{number}].queue", twice, once)
            seen.add((line.queue, line.gpu_type))
            yield line

    def _line(self, where: str, table: Mapping[str, object]) -> CardLine:
        self._known_keys(where, table, _LINE_KEYS)
        amounts = {
            field: self._amount(f"{where}.{key}", table.get(key, 0))
            for key, field in AMOUNTS.items()
        }
        line = CardLine(
            queue=self._queue(where, table.get("queue")),
            gpu_type=self._gpu_type(where, table.get("gpu_type", "")),
            rule=self._rule(where, table.get("rule", "sum")),
            whole_node=self._truth(f"{where}.whole_node", table.get("whole_node")),
            **amounts,
        )
        if line.is_free and line.minimum:
            none = Phrase("no minimum where all is free")
            self._wrong(f"{where}.minimum", table["minimum"], none)
        return line

    def _queue(self, where: str, given: object) -> str:
        if isinstance(given, str) and _QUEUE.fullmatch(given):
            return given
        expected = Phrase(
            'the name of a Slurm partition, or "{every}" for all others',
            every=EVERY_QUEUE,
        )
        self._wrong(f"{where}.queue", given, expected)
        return where

    def _gpu_type(self, where: str, given: object) -> str:
        if isinstance(given, str) and _TYPE.fullmatch(given):
            return given
        self._wrong(f"{where}.gpu_type", given, Phrase("a GPU type as in Slurm's gres"))
        return ""

    def _rule(self, where: str, given: object) -> Rule:
        if given in list(Rule):
            return Rule(str(given))
        self._wrong(f"{where}.rule", given, Phrase('"sum" or "max"'))
        return Rule.SUM

    def _truth(self, where: str, given: object) -> bool:
        if given is not None and not isinstance(given, bool):
            self._wrong(where, given, Phrase("true or false"))
        return given is True

    def _amount(self, where: str, given: object) -> int:
        found = _as_text(given)
        if found is not None and _AMOUNT.fullmatch(found):
            return int(Decimal(found) * MICRO)
        expected = Phrase(
            'an amount as text, such as "0.25", with at most 6 digits after the point'
        )
        self._wrong(where, given, expected)
        return 0

    def _factors(self, given: object) -> Iterator[tuple[str, int]]:
        for name, factor in self._named("qos", given):
            yield name, self._amount(f"qos.{name}", factor)

    def _tenants(self, given: object) -> Iterator[tuple[str, TenantTerms]]:
        for name, table in self._named("tenant", given):
            where = f"tenant.{name}"
            if not isinstance(table, dict):
                self._wrong(where, table, _a_table(where))
                continue
            self._known_keys(where, table, _TERMS_KEYS)
            discount = self._percent(where, table.get("discount_percent", 0))
            allowance = self._amount(f"{where}.allowance", table.get("allowance", 0))
            yield name, TenantTerms(discount, allowance)

    def _percent(self, where: str, given: object) -> int:
        found = _as_text(given)
        if found is not None and _PERCENT.fullmatch(found):
            micro = int(Decimal(found) * (WHOLE // 100))
            if micro <= WHOLE:
                return micro
        expected = Phrase('a part of a hundred as text, such as "12.5", at most 100')
        self._wrong(f"{where}.discount_percent", given, expected)
        return 0

    def _named(self, table: str, given: object) -> Iterator[tuple[str, object]]:
        if not isinstance(given, dict):
            self._wrong(table, given, _a_table(table))
            return
        for name, value in given.items():
            if 0 < len(name) <= _LONGEST_NAME and name.isprintable():
                yield name, value
            else:
                expected = Phrase("a name of 1 to 64 printable characters")
                self._wrong(table, name, expected)


def _a_table(name: str) -> Phrase:
    return Phrase("a table, written [{name}]", name=name)


def _as_text(given: object) -> str | None:
    """Return an amount's text; whole numbers are exact, floats are not taken."""
    if isinstance(given, int) and not isinstance(given, bool):
        return str(given)
    return given if isinstance(given, str) else None
