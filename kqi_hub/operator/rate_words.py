"""Cards of rates and what they change, as kqi-hub prints them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from kqi_hub.domain.money import Rule, amount_said
from kqi_hub.domain.rate_cards import CardLine, TenantTerms
from kqi_hub.domain.rate_ports import Published
from kqi_hub.operator.columns import columns
from kqi_hub.services.rates import CardState, Preview

_HEAD: Final = ("CARD", "FROM", "STATE", "RATES", "PUBLISHED", "BY", "NOTE")
_EFFECT_HEAD: Final = ("TENANT", "BEFORE", "AFTER", "DIFFERENCE")
_STATES: Final = {
    CardState.WITHDRAWN: "withdrawn",
    CardState.TO_COME: "to come",
    CardState.COUNTS: "counts now",
    CardState.OVER: "over",
}


def cards_table(
    cards: tuple[Published, ...], states: Mapping[int, CardState], zone: str
) -> str:
    """Return a line for each card."""
    rows = [_row(one, states[one.card.version], zone) for one in cards]
    return columns(_HEAD, rows)


def _row(one: Published, state: CardState, zone: str) -> tuple[str, ...]:
    return (
        str(one.card.version),
        _local(one.card.from_at, zone) if one.card.from_at else "the beginning",
        _STATES[state],
        str(len(one.card.lines)),
        _local(one.published_at, zone),
        one.author,
        one.note,
    )


def _local(moment: float, zone: str) -> str:
    there = datetime.fromtimestamp(moment, ZoneInfo(zone))
    return there.strftime("%Y-%m-%d %H:%M")


def card_json(one: Published, state: CardState) -> dict[str, object]:
    """Return a card for programs."""
    return {
        "version": one.card.version,
        "from_at": one.card.from_at,
        "state": state.value,
        "author": one.author,
        "note": one.note,
        "published_at": one.published_at,
        "withdrawn_at": one.withdrawn_at,
        "is_posted": one.posted_at is not None,
        "document": one.document,
    }


def preview_json(preview: Preview) -> dict[str, object]:
    """Return what publishing would do, for programs."""
    effect = preview.effect
    return {
        "from_at": preview.card.from_at,
        "replaces": None if preview.replaced is None else preview.replaced.version,
        "rates_changed": len(preview.changes),
        "effect": {
            "since": effect.begins,
            "is_real": effect.is_real,
            "runs": effect.runs,
            "runs_without_a_price": effect.unpriced,
            "tenants": {
                name: {"before_micro": sums.before, "after_micro": sums.after}
                for name, sums in effect.tenants.items()
            },
        },
    }


def preview_text(preview: Preview, zone: str, currency: str) -> str:
    """Return what publishing would do, for people."""
    begins = _local(preview.card.from_at, zone)
    lines = [f"Counts from {begins} ({zone}), in {currency}."]
    if preview.replaced is not None:
        lines.append(f"Until then card {preview.replaced.version} counts.")
    lines += ["", *(_change(was, will) for was, will in preview.changes)]
    if not preview.changes:
        lines.append("  no rate of a queue changes")
    lines += [
        f"  QOS {name}: {amount_said(was)} -> {amount_said(will)} times the price"
        for name, was, will in preview.factors
    ]
    lines += [
        f"  tenant {name}: {_terms(was)} -> {_terms(will)}"
        for name, was, will in preview.terms
    ]
    return "\n".join([*lines, "", *_effect(preview, zone)])


def _effect(preview: Preview, zone: str) -> list[str]:
    effect, total = preview.effect, preview.effect.total
    since = _local(effect.begins, zone)
    if effect.is_real:
        said = f"Use since {since} will cost, in bills of open months:"
    else:
        said = f"For comparison: use since {since}, if they had counted then:"
    if not effect.runs:
        return [said, "  no run has ended since"]
    sums = [*effect.tenants.items(), ("all", total)]
    rows = [
        (
            name,
            amount_said(one.before),
            amount_said(one.after),
            amount_said(one.after - one.before),
        )
        for name, one in sums
    ]
    found = [said, columns(_EFFECT_HEAD, rows)]
    if effect.unpriced:
        found.append(f"Runs without a price: {effect.unpriced:,} of {effect.runs:,}.")
    return found


def _terms(terms: TenantTerms) -> str:
    percent = amount_said(terms.discount * 100)
    return f"{percent} % off, {amount_said(terms.allowance)} a month free"


def _change(was: CardLine | None, will: CardLine | None) -> str:
    line = will or was
    name = f"{line.queue} {line.gpu_type}".strip() if line else ""
    return f"  {name}: {_words(was)} -> {_words(will)}"


def _words(line: CardLine | None) -> str:
    if line is None:
        return "no rate"
    if line.is_free:
        return "free"
    parts = [
        f"{amount_said(micro)} a {what}"
        for what, micro in (
            ("CPU", line.cpu),
            ("GB", line.memory_gb),
            ("GPU", line.gpu),
            ("node", line.node),
        )
        if micro
    ]
    joined = " + ".join(parts) if line.rule is Rule.SUM else " or ".join(parts)
    whole = ", whole nodes" if line.whole_node else ""
    least = f", at least {amount_said(line.minimum)}" if line.minimum else ""
    return f"{joined}{whole}{least}"
