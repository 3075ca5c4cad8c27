"""Language, colours and usual tenant, chosen in the frame around every page."""

import time
from dataclasses import replace
from typing import Final

from pydantic import Field

from handlers.ask import Ask, GoTo
from handlers.own_page import own_page
from handlers.route import Model, Routes, Spec
from kqi_hub.domain.errors import InvalidInput
from kqi_hub.domain.preferences import Preferences, Theme
from kqi_hub.i18n import N_
from kqi_hub.services import preferences

routes = Routes(tag=N_("Pages"))
_SAVED: Final = N_("Your choice is saved.")


class Choice(Model):
    """One thing chosen; what is left out stays as it is."""

    language: str | None = Field(None, max_length=10)
    theme: Theme | None = None
    default_tenant: str | None = Field(None, max_length=64)
    back: str = Field("", max_length=1000)


@routes.post(
    "/choices",
    Spec(
        body=Choice,
        errors=(InvalidInput,),
        before_terms=True,
        example={"theme": "dark", "back": ""},
    ),
)
async def choose(ask: Ask) -> GoTo:
    """Change your language, colours or usual tenant, and go back."""
    sent = ask.body(Choice)
    chosen = _changed(ask.chosen, sent)
    store, languages = ask.deps.preferences, ask.deps.site.languages
    await preferences.save(store, ask.me, chosen, languages, time.time())
    return GoTo(own_page(sent.back), _SAVED)


def _changed(before: Preferences, sent: Choice) -> Preferences:
    given = sent.model_dump(exclude={"back"}, exclude_none=True)
    return replace(before, **given)
