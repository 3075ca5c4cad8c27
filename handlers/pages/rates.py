"""Cards of rates, for operators: what counts, what a new one changes, publishing it."""

from dataclasses import dataclass
from typing import Final

from pydantic import Field

from handlers.access import Who
from handlers.api.rates import EXAMPLE
from handlers.ask import Ask, GoTo, Page, Values
from handlers.problem import problem_of
from handlers.route import Model, Routes, Spec
from kqi_hub.domain.errors import Conflict, InvalidInput, KqiError, NotFound
from kqi_hub.domain.rate_documents import WrongRates
from kqi_hub.domain.rate_ports import Published, Sums
from kqi_hub.i18n import N_
from kqi_hub.services.rates import Author, CardState, Preview

routes = Routes(tag=N_("Usage"))
LONGEST_DOCUMENT: Final = 65_536
LONGEST_NOTE: Final = 200
_PATH: Final = "/usage/rates"
_STATES: Final = {
    CardState.COUNTS: ("good", N_("Counts now")),
    CardState.TO_COME: ("wait", N_("To come")),
    CardState.OVER: ("idle", N_("Over")),
    CardState.WITHDRAWN: ("idle", N_("Withdrawn")),
}


class Begun(Model):
    """From which card a new one begins."""

    like: int = Field(0, ge=0, le=2**31)


class DraftForm(Model):
    """A new card, as typed."""

    document: str = Field("", max_length=LONGEST_DOCUMENT)
    note: str = Field("", max_length=LONGEST_NOTE)


class ConfirmForm(DraftForm):
    """A new card whose effect was shown."""

    confirmation: str = Field("", max_length=64)


@dataclass(frozen=True, slots=True)
class Row:
    """A card in the list."""

    card: Published
    kind: str
    state: str
    can_withdraw: bool


@dataclass(frozen=True, slots=True)
class EffectRow:
    """What a tenant would pay, before and after."""

    tenant: str
    sums: Sums


@routes.get(_PATH, Spec(who=Who.OPERATOR))
async def list_rates(ask: Ask) -> Page:
    """List the cards of rates, and the rates that count now."""
    rates = ask.deps.rates
    cards = await rates.cards()
    states = rates.states(cards)

    def values() -> Values:
        rows = [_row(ask, one, states[one.card.version]) for one in cards]
        now = [x.card for x in cards if states[x.card.version] is CardState.COUNTS]
        return {
            "rows": rows,
            "now": now[0] if now else None,
            "currency": rates.currency,
        }

    return Page("pages/rates/list.html", values)


@routes.get(f"{_PATH}/new", Spec(who=Who.OPERATOR, query=Begun, errors=(NotFound,)))
async def new_rates(ask: Ask) -> Page:
    """Show the form of a new card, beginning with one that there is."""
    like = ask.query(Begun).like or None
    try:
        text = await ask.deps.rates.document(like)
    except NotFound:
        if like is not None:
            raise
        text = ""
    return _form(ask, DraftForm(document=text, note=""))


@routes.post(
    f"{_PATH}/new",
    Spec(
        who=Who.OPERATOR,
        body=DraftForm,
        shows=True,
        errors=(InvalidInput,),
        example={"document": EXAMPLE},
    ),
)
async def preview_rates(ask: Ask) -> Page:
    """Show what a card would change; nothing is published."""
    sent = ask.body(DraftForm)
    try:
        found = await ask.deps.rates.preview(sent.document)
    except InvalidInput as error:
        return _form(ask, sent, error)
    return _preview(ask, sent, found)


@routes.post(
    _PATH,
    Spec(
        who=Who.OPERATOR,
        body=ConfirmForm,
        errors=(InvalidInput, Conflict),
        # That of this document beside two cards.
        example={"document": EXAMPLE, "confirmation": "dcd86b1cf966b105"},
    ),
)
async def publish_rates(ask: Ask) -> Page | GoTo:
    """Publish the card that was shown."""
    sent, rates = ask.body(ConfirmForm), ask.deps.rates
    author = Author(ask.me.person, ask.address)
    try:
        version = await rates.publish(
            author, sent.document, sent.confirmation, sent.note
        )
    except (InvalidInput, Conflict) as error:
        return _form(ask, sent, error)
    said = N_("Card {version} is published.")
    return GoTo(_PATH.removeprefix("/"), said, {"version": str(version)})


@routes.post(
    f"{_PATH}/{{version}}/withdraw",
    Spec(who=Who.OPERATOR, errors=(NotFound, Conflict), example_path={"version": "2"}),
)
async def withdraw_rates(ask: Ask) -> GoTo:
    """Take back a card that does not count yet."""
    version = ask.number("version")
    await ask.deps.rates.withdraw(Author(ask.me.person, ask.address), version)
    said = N_("Card {version} is withdrawn.")
    return GoTo(_PATH.removeprefix("/"), said, {"version": str(version)})


def _row(ask: Ask, one: Published, state: CardState) -> Row:
    kind, word = _STATES[state]
    return Row(one, kind, ask.texts.say(word), state is CardState.TO_COME)


def _form(ask: Ask, sent: DraftForm, error: KqiError | None = None) -> Page:
    rates = ask.deps.rates
    values = {
        "sent": sent,
        "problem": problem_of(error, ask.texts, ask.request_id) if error else None,
        "faults": _faults(ask, error),
        "zone": rates.days.zone,
        "currency": rates.currency,
        "longest": LONGEST_DOCUMENT,
        "longest_note": LONGEST_NOTE,
    }
    return Page("pages/rates/form.html", values, error.status if error else 200)


def _faults(ask: Ask, error: KqiError | None) -> tuple[tuple[str, str, str], ...]:
    """Return where something is wrong, what stands there, and what should."""
    if not isinstance(error, WrongRates):
        return ()
    say = ask.texts.phrase
    return tuple((one.where, one.found, say(one.expected)) for one in error.faults)


def _preview(ask: Ask, sent: DraftForm, found: Preview) -> Page:
    rates = ask.deps.rates
    rows = [EffectRow(name, sums) for name, sums in found.effect.tenants.items()]
    return Page(
        "pages/rates/preview.html",
        {
            "sent": sent,
            "preview": found,
            "effect": found.effect,
            "rows": rows,
            "total": found.effect.total,
            "zone": rates.days.zone,
            "currency": rates.currency,
        },
    )
