"""Cards of rates, for operators' programs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from kqi_hub.sdk.calls import Calls
from kqi_hub.sdk.models import Answer, known


@dataclass(frozen=True, slots=True)
class RateCard(Answer):
    """A card of rates; `document` in TOML, only where one is asked for."""

    version: int
    from_at: int
    state: str
    author: str
    note: str
    published_at: float
    is_posted: bool
    document: str = ""


@dataclass(frozen=True, slots=True)
class TenantEffect(Answer):
    """What use costs a tenant by the cards of now and by a new one, in millionths."""

    before_micro: int
    after_micro: int


@dataclass(frozen=True, slots=True)
class RatePreview(Answer):
    """What a card would change; `confirmation` belongs to it and the cards of now.

    `is_real`: the use since then will cost so; else it is a comparison.
    """

    from_at: int
    replaces: int | None
    rates_changed: int
    since: int
    is_real: bool
    runs: int
    runs_without_a_price: int
    tenants: Mapping[str, TenantEffect]
    confirmation: str

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Self:
        """Make it from JSON."""
        effects = said["tenants"].items()
        tenants = {name: TenantEffect.read(one) for name, one in effects}
        return cls(**{**known(cls, said), "tenants": tenants})


class RateCalls(Calls):
    """Cards of rates: operators list, try, publish and withdraw them."""

    def rate_cards(self) -> tuple[RateCard, ...]:
        """Return all cards, withdrawn ones too, the newest first."""
        cards = self._api("GET", "rates")["cards"]
        return tuple(RateCard.read(one) for one in cards)

    def rate_card(self, version: int) -> RateCard:
        """Return a card with its document."""
        return RateCard.read(self._api("GET", f"rates/{version}"))

    def preview_rates(self, document: str) -> RatePreview:
        """Return what a card would change; nothing is published."""
        sent = {"document": document}
        return RatePreview.read(self._api("POST", "rates-preview", sent))

    def publish_rates(self, document: str, confirmation: str, note: str = "") -> int:
        """Publish a card whose preview was looked at; return its number."""
        sent = {"document": document, "confirmation": confirmation, "note": note}
        return int(self._api("POST", "rates", sent)["version"])

    def withdraw_rates(self, version: int) -> None:
        """Take back a card that does not count yet."""
        self._api("POST", f"rates/{version}/withdraw")
