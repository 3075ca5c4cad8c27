"""Cards of rates for operators' programs: list, check, publish, withdraw."""

from collections.abc import Mapping
from typing import Final, TypeVar

from pydantic import Field

from handlers.access import Who
from handlers.ask import Ask
from handlers.route import Model, Routes, Spec
from kqi_hub.domain.errors import Conflict, InvalidInput, NotFound
from kqi_hub.domain.rate_ports import Published
from kqi_hub.i18n import N_
from kqi_hub.services.rates import Author, CardState, Preview

routes = Routes("/api/v1", tag=N_("Usage"))
EXAMPLE: Final = 'from = 2190-01-01\n[[rate]]\nqueue = "a100"\nper_gpu = 90\n'
_LONGEST: Final = 262_144


class CardRow(Model):
    """A card of rates."""

    version: int = Field(description="Its number.")
    from_at: int = Field(description="From when on it counts, in seconds since 1970.")
    state: CardState = Field(description="Whether it counts.")
    author: str = Field(description="Who published it; settings: the first card.")
    note: str = Field(description="Why.")
    published_at: float = Field(description="When, in seconds since 1970.")
    is_posted: bool = Field(
        description="Whether the book has counted the use since its beginning."
    )


R = TypeVar("R", bound=CardRow)


class Card(CardRow):
    """A card of rates in full."""

    document: str = Field(description="As it was published, in TOML.")


class CardList(Model):
    """All cards, the newest first."""

    cards: tuple[CardRow, ...] = Field(description="Withdrawn ones too.")


class Draft(Model):
    """A card to be published."""

    document: str = Field(
        max_length=_LONGEST, description="In TOML; it says from when on it counts."
    )


class Confirmed(Draft):
    """A card whose effect was looked at."""

    confirmation: str = Field(max_length=64, description="As the preview has it.")
    note: str = Field("", max_length=200, description="Why.")


class TenantEffect(Model):
    """What use costs a tenant, in millionths."""

    before_micro: int = Field(description="By the cards of now.")
    after_micro: int = Field(description="By the new one.")


class PreviewAnswer(Model):
    """What publishing would do."""

    from_at: int = Field(description="From when on it counts.")
    replaces: int | None = Field(description="The card that counted then until now.")
    rates_changed: int = Field(description="Rates of queues that change.")
    since: int = Field(description="Since when use was looked at.")
    is_real: bool = Field(
        description="Whether that use will cost so; else it is a comparison."
    )
    runs: int = Field(description="Runs that were looked at.")
    runs_without_a_price: int = Field(description="Those that no rate is for.")
    tenants: Mapping[str, TenantEffect] = Field(description="By tenant.")
    confirmation: str = Field(description="To be sent with this document.")


class PublishedCard(Model):
    """A card that was published."""

    version: int = Field(description="Its number.")


@routes.get("/rates", Spec(who=Who.OPERATOR, answer=CardList))
async def list_cards(ask: Ask) -> CardList:
    """List the cards of rates."""
    rates = ask.deps.rates
    cards = await rates.cards()
    states = rates.states(cards)
    return CardList(
        cards=tuple(_row(CardRow, one, states[one.card.version]) for one in cards)
    )


@routes.get(
    "/rates/{version}",
    Spec(
        who=Who.OPERATOR,
        answer=Card,
        errors=(NotFound,),
        example_path={"version": "1"},
    ),
)
async def show_card(ask: Ask) -> Card:
    """Show a card with its document."""
    rates = ask.deps.rates
    found = await rates.card(ask.number("version"))
    state = rates.states(await rates.cards())[found.card.version]
    return _row(Card, found, state, document=found.document)


@routes.post(
    "/rates-preview",
    Spec(
        who=Who.OPERATOR,
        body=Draft,
        answer=PreviewAnswer,
        errors=(InvalidInput,),
        example={"document": EXAMPLE},
    ),
)
async def preview_card(ask: Ask) -> PreviewAnswer:
    """Say what a card would change; nothing is published."""
    return _preview(await ask.deps.rates.preview(ask.body(Draft).document))


@routes.post(
    "/rates",
    Spec(
        who=Who.OPERATOR,
        body=Confirmed,
        answer=PublishedCard,
        status=201,
        errors=(InvalidInput, Conflict),
        # That of this document beside two cards.
        example={"document": EXAMPLE, "confirmation": "dcd86b1cf966b105"},
    ),
)
async def publish_card(ask: Ask) -> PublishedCard:
    """Publish a card whose effect was looked at."""
    sent = ask.body(Confirmed)
    author = Author(ask.me.person, ask.address)
    version = await ask.deps.rates.publish(
        author, sent.document, sent.confirmation, sent.note
    )
    return PublishedCard(version=version)


@routes.post(
    "/rates/{version}/withdraw",
    Spec(who=Who.OPERATOR, errors=(NotFound, Conflict), example_path={"version": "2"}),
)
async def withdraw_card(ask: Ask) -> None:
    """Take back a card that does not count yet."""
    author = Author(ask.me.person, ask.address)
    await ask.deps.rates.withdraw(author, ask.number("version"))


def _row(kind: type[R], one: Published, state: CardState, **more: object) -> R:
    return kind.model_validate(
        {
            "version": one.card.version,
            "from_at": one.card.from_at,
            "state": state,
            "author": one.author,
            "note": one.note,
            "published_at": one.published_at,
            "is_posted": one.posted_at is not None,
            **more,
        }
    )


def _preview(found: Preview) -> PreviewAnswer:
    effect = found.effect
    return PreviewAnswer(
        from_at=found.card.from_at,
        replaces=None if found.replaced is None else found.replaced.version,
        rates_changed=len(found.changes),
        since=effect.begins,
        is_real=effect.is_real,
        runs=effect.runs,
        runs_without_a_price=effect.unpriced,
        tenants={
            name: TenantEffect(before_micro=one.before, after_micro=one.after)
            for name, one in effect.tenants.items()
        },
        confirmation=found.confirmation,
    )
