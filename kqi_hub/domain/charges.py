"""What a run costs, day by day: before, while and after it by the same function."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from kqi_hub.domain.amounts import Amounts
from kqi_hub.domain.job_records import JobRecord
from kqi_hub.domain.ledger import Charge
from kqi_hub.domain.money import cost
from kqi_hub.domain.node_shapes import NO_SHAPES, NodeShapes
from kqi_hub.domain.rate_cards import CardLine, RateCard, Tariff
from kqi_hub.domain.site_days import Day, SiteDays

# The version of use before the first card.
NO_CARD: Final = 0


class Priced(NamedTuple):
    """What an hour of a run costs under a card, by which line, for how much of what.

    `minimum` is the least that such a run costs: nothing where it is free. `gpus` are
    the run's own, `takes` what is paid for: the nodes' where whole nodes are.
    """

    per_hour: int | None
    minimum: int
    line: CardLine | None
    takes: Amounts
    gpus: int


class _Piece(NamedTuple):
    """A part of a run: a local day, or less where another card began."""

    day: Day
    card: RateCard | None
    seconds: int


def charges(
    record: JobRecord,
    tariff: Tariff,
    days: SiteDays,
    shapes: NodeShapes = NO_SHAPES,
) -> tuple[Charge, ...]:
    """Return what a run used and costs, one charge for each day and card.

    For a run that goes on, let `ended_at` be now. Suspended seconds are left out of the
    days that they lie on; where that is not known they are spread evenly.
    """
    begun, over = record.started_at, record.ended_at
    if begun is None or over is None or over <= begun:
        return ()
    day = days.day_of(begun)
    card, until = tariff.span(begun)
    if over <= until and over <= days.begins(day + 1) and not record.suspended_s:
        # Nearly all runs: nothing to split, and a million of them a back-fill.
        priced = price(record, tariff, card, shapes)
        charge = _charge(record, day, card, priced, over - begun)
        if charge.amount < priced.minimum:
            charge = charge._replace(amount=priced.minimum)
        return (charge,)
    pieces = _pieces(begun, over, tariff, days)
    if record.suspended_s:
        pieces = _without(pieces, record.suspended_s, record.suspended_days)
    return _charged(record, pieces, tariff, shapes)


def price(
    record: JobRecord,
    tariff: Tariff,
    card: RateCard | None,
    shapes: NodeShapes = NO_SHAPES,
) -> Priced:
    """Return what an hour of a run costs under a card of a tariff.

    Runs that are alike are looked up, a million times a back-fill.
    """
    whole = nodes = None
    version = card.version if card else NO_CARD
    if version in tariff.by_node:
        whole = shapes.of(record.node_list, record.started_at or 0)
        nodes = whole and (whole.cpus, whole.memory_mb, *whole.gpus.items())
    key = (version, record[_WHERE], record[_HAS], nodes)
    known = tariff.known.get(key)
    if known is None:
        known = tariff.known[key] = _price(record, card, whole)
    return known


# An account, a partition and a QOS; CPUs, memory, GPUs: what a price depends on.
_WHERE: Final = slice(
    JobRecord._fields.index("account"), JobRecord._fields.index("qos") + 1
)
_HAS: Final = slice(
    JobRecord._fields.index("nodes"), JobRecord._fields.index("gpus") + 1
)


def _price(record: JobRecord, card: RateCard | None, whole: Amounts | None) -> Priced:
    takes = record.amounts
    gpus = takes.gpu_total
    kinds = [kind for kind, count in takes.gpus.items() if count]
    nodes_have = whole.gpus if whole else ()
    line = card.line_for(record.partition, kinds, nodes_have) if card else None
    if card is None or line is None:
        return Priced(None, 0, None, takes, gpus)
    if line.whole_node and whole:
        takes = whole
    per_hour = card.per_hour(line, takes, record.qos, record.account)
    return Priced(per_hour, line.minimum if per_hour else 0, line, takes, gpus)


def _pieces(begun: int, over: int, tariff: Tariff, days: SiteDays) -> list[_Piece]:
    found = []
    while begun < over:
        day = days.day_of(begun)
        card, until = tariff.span(begun)
        ends = min(over, until, days.begins(day + 1))
        found.append(_Piece(day, card, ends - begun))
        begun = ends
    return found


def _without(
    pieces: Sequence[_Piece], suspended_s: int, by_day: Mapping[Day, int]
) -> list[_Piece]:
    """Take the suspended seconds off, those of each day from the day's own pieces."""
    of_days: dict[Day, int] = {}
    for piece in pieces:
        of_days[piece.day] = of_days.get(piece.day, 0) + piece.seconds
    is_told = sum(by_day.values()) == suspended_s and all(
        0 <= gone <= of_days.get(day, 0) for day, gone in by_day.items()
    )
    if not is_told:
        return list(_thinned(pieces, suspended_s))
    return [
        thin
        for day, gone in ((day, by_day.get(day, 0)) for day in of_days)
        for thin in _thinned([one for one in pieces if one.day == day], gone)
    ]


def _thinned(pieces: Sequence[_Piece], gone: int) -> Iterator[_Piece]:
    """Spread seconds that do not count evenly, none lost by rounding."""
    total = sum(piece.seconds for piece in pieces)
    gone = min(gone, total)
    passed = taken = 0
    for piece in pieces:
        passed += piece.seconds
        now = gone * passed // total
        yield piece._replace(seconds=piece.seconds - (now - taken))
        taken = now


def _charged(
    record: JobRecord, pieces: Sequence[_Piece], tariff: Tariff, shapes: NodeShapes
) -> tuple[Charge, ...]:
    """Charge a run of several pieces; under one card they telescope to the whole."""
    found: list[Charge] = []
    counted, card = 0, pieces[0].card
    priced = first = price(record, tariff, card, shapes)
    for piece in pieces:
        if piece.card is not card:
            counted, card = 0, piece.card
            priced = price(record, tariff, card, shapes)
        if piece.seconds:
            charge = _charge(record, piece.day, card, priced, piece.seconds, counted)
            found.append(charge)
        counted += piece.seconds
    _raise_to(first.minimum, found)
    return tuple(found)


def _raise_to(minimum: int, found: list[Charge]) -> None:
    """Add what is missing from the minimum to the last part that has a price."""
    missing = minimum - sum(charge.amount for charge in found)
    if missing <= 0:
        return
    for place in range(len(found) - 1, -1, -1):
        if found[place].per_hour is not None:
            last = found[place]
            found[place] = last._replace(amount=last.amount + missing)
            return


def _charge(
    record: JobRecord,
    day: Day,
    card: RateCard | None,
    priced: Priced,
    seconds: int,
    counted: int = 0,
) -> Charge:
    """Charge seconds after so many that were counted under the same card."""
    per_hour = priced.per_hour
    amount = 0
    if per_hour:
        amount = cost(per_hour, counted + seconds) - cost(per_hour, counted)
    return Charge(
        day,
        card.version if card else NO_CARD,
        per_hour,
        seconds,
        amount,
        record.cpus * seconds,
        record.memory_mb * seconds,
        priced.gpus * seconds,
        record.nodes * seconds,
    )
