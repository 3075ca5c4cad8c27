"""Publish rates: what they would change is shown first, and confirmed, and noted down.

A card is never changed. One that counts already is followed by another; one that does
not yet can be withdrawn.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256

from kqi_hub.domain.errors import Conflict, InvalidInput, NotFound
from kqi_hub.domain.login import AuditEvent, AuditLog
from kqi_hub.domain.rate_cards import CardLine, RateCard, Tariff, TenantTerms
from kqi_hub.domain.rate_documents import read_document
from kqi_hub.domain.rate_ports import (
    Effect,
    NewCard,
    PastRuns,
    Published,
    RateStore,
    Reposting,
    Standing,
)
from kqi_hub.domain.rate_writing import with_beginning, write_document
from kqi_hub.domain.site_days import SiteDays, period_of
from kqi_hub.services.rate_effects import (
    Comparison,
    differing,
    differing_factors,
    differing_terms,
)


class CardState(StrEnum):
    """What a card is at a moment."""

    WITHDRAWN = "withdrawn"
    TO_COME = "to-come"
    COUNTS = "counts"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Author:
    """Who changes rates, for the audit log."""

    name: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """What publishing a document would do.

    `confirmation` belongs to this very document and to the cards of now. `changes` are
    lines before and after, `factors` and `terms` those of QOS and tenants; `replaced`
    is the card that counted then until now.
    """

    card: RateCard
    document: str
    replaced: RateCard | None
    changes: tuple[tuple[CardLine | None, CardLine | None], ...]
    factors: tuple[tuple[str, int, int], ...]
    terms: tuple[tuple[str, TenantTerms, TenantTerms], ...]
    effect: Effect
    confirmation: str


@dataclass(frozen=True)
class Rates:
    """The cards of rates of one cluster, for operators."""

    store: RateStore
    runs: PastRuns
    book: Reposting
    audit: AuditLog
    days: SiteDays
    currency: str
    renew: Callable[[], None] = lambda: None
    wall: Callable[[], float] = time.time

    async def cards(self) -> tuple[Published, ...]:
        """Return all cards, the newest version first."""
        return await asyncio.to_thread(self.store.cards)

    async def card(self, version: int | None = None) -> Published:
        """Return a card, the one that counts now without a number; NotFound."""
        return await asyncio.to_thread(self._card, version)

    async def document(self, version: int | None = None) -> str:
        """Return a card as the document to begin a new one with."""
        found = await self.card(version)
        return write_document(found.card, self.days.zone, self.currency)

    async def preview(self, text: str, from_at: int | None = None) -> Preview:
        """Return what publishing would do; WrongRates with every fault.

        `from_at` is for a document that does not say from when on.
        """
        return await asyncio.to_thread(self._preview, text, from_at)

    async def publish(
        self, author: Author, text: str, confirmation: str, note: str = ""
    ) -> int:
        """Publish what a preview showed (its own document); return the version.

        Conflict if the cards are not those of the preview any more.
        """
        return await asyncio.to_thread(self._publish, author, text, confirmation, note)

    async def withdraw(self, author: Author, version: int) -> None:
        """Take back a card that does not count yet."""
        await asyncio.to_thread(self._withdraw, author, version)

    async def settle(self) -> int:
        """Have use posted again that new cards concern; return the lines added."""
        return await asyncio.to_thread(self._settle)

    def states(self, cards: tuple[Published, ...]) -> Mapping[int, CardState]:
        """Return by version what all these cards are now."""
        now = self.wall()
        counting = Tariff(_counting(cards)).at(now)
        return {one.card.version: _state(one, counting, now) for one in cards}

    def _card(self, version: int | None) -> Published:
        cards = self.store.cards()
        if version is None:
            now = Tariff(_counting(cards)).at(self.wall())
            version = now.version if now else 0
        for one in cards:
            if one.card.version == version:
                return one
        raise NotFound(
            "There is no such card of rates.",
            "List those that there are: kqi-hub rates list",
        )

    def _preview(self, text: str, from_at: int | None) -> Preview:
        card, document = self._read(text, from_at)
        standing, cards = self.store.standing(), _counting(self.store.cards())
        old = Tariff(cards)
        replaced = old.at(card.from_at)
        return Preview(
            card=card,
            document=document,
            replaced=replaced,
            changes=differing(replaced, card),
            factors=differing_factors(replaced, card),
            terms=differing_terms(replaced, card),
            effect=self._effect(cards, replace(card, version=standing.newest + 1)),
            confirmation=_confirmation(document, standing),
        )

    def _read(self, text: str, from_at: int | None) -> tuple[RateCard, str]:
        # Forms send other ends of lines than they were given, and none at the end.
        text = text.replace("\r\n", "\n").strip() + "\n"
        draft = read_document(text, self.days.zone, self.currency)
        if draft.from_at is not None and from_at not in (None, draft.from_at):
            raise InvalidInput(
                "The document says itself from when on it counts.",
                "Say it at one place only.",
            )
        if draft.from_at is not None:
            return draft.card, text
        if from_at is None:
            raise InvalidInput(
                "Nothing says from when on the rates count.",
                "Begin the document with a line such as: from = 2026-12-01",
            )
        document = with_beginning(text, from_at, self.days.zone)
        return replace(draft.card, from_at=from_at), document

    def _effect(self, cards: tuple[RateCard, ...], card: RateCard) -> Effect:
        """Compare since the card begins, or for one to come the month so far."""
        now, is_real = self.wall(), card.from_at <= self.wall()
        begins = card.from_at
        if not is_real:
            begins = self.days.month_begins(period_of(self.days.day_of(now)))
        known = [one for one in cards if is_real or one.from_at < begins]
        imagined = Tariff([*known, replace(card, from_at=begins)])
        # What is closed stays as it was billed.
        closed = self.store.last_closed()
        since = begins
        if closed is not None:
            since = max(begins, self.days.month_ends(closed))
        comparison = Comparison(Tariff(cards), imagined, self.days, self.store.shapes())
        return comparison.effect(self.runs.ended_since(since), since, is_real)

    def _publish(self, author: Author, text: str, confirmed: str, note: str) -> int:
        card, document = self._read(text, None)
        standing = self.store.standing()
        if confirmed != _confirmation(document, standing):
            raise Conflict(
                "What you confirm is not what was shown: the document or the rates "
                "have been changed meanwhile.",
                "Look at the effect again.",
            )
        new = NewCard(card.from_at, document, author.name, note)
        version = self.store.publish(new, standing, self.wall())
        about = {"from": str(card.from_at), "note": note}
        self._note(author, "rates-published", version, about)
        self.renew()
        return version

    def _withdraw(self, author: Author, version: int) -> None:
        self.store.withdraw(version, self.wall())
        self._note(author, "rates-withdrawn", version, {})
        self.renew()

    def _settle(self) -> int:
        now = self.wall()
        waiting = [
            one
            for one in self.store.cards()
            if one.posted_at is None and not one.is_withdrawn
        ]
        if not waiting:
            return 0
        lines = self.book.repost(min(one.card.from_at for one in waiting))
        self.store.mark_posted([one.card.version for one in waiting], now)
        return lines

    def _note(
        self, author: Author, action: str, version: int, detail: Mapping[str, str]
    ) -> None:
        self.audit.append(
            AuditEvent(
                at=self.wall(),
                actor=author.name,
                action=action,
                target=f"rates {version}",
                outcome="ok",
                address=author.address,
                detail=detail,
            )
        )


def _state(one: Published, counting: RateCard | None, now: float) -> CardState:
    if one.is_withdrawn:
        return CardState.WITHDRAWN
    if one.card.from_at > now:
        return CardState.TO_COME
    return CardState.COUNTS if counting is one.card else CardState.OVER


def _counting(cards: tuple[Published, ...]) -> tuple[RateCard, ...]:
    return tuple(one.card for one in cards if not one.is_withdrawn)


def _confirmation(document: str, known: Standing) -> str:
    told = f"{known.newest} {known.withdrawn} {document}"
    return sha256(told.encode()).hexdigest()[:16]
