"""A person's choices: language, colours, usual tenant."""

import time

from pydantic import Field

from handlers.ask import Ask
from handlers.route import Model, Routes, Spec
from kqi_hub.domain.errors import InvalidInput
from kqi_hub.domain.preferences import Preferences, Theme
from kqi_hub.i18n import N_
from kqi_hub.services import preferences

routes = Routes("/api/v1", tag=N_("You"))


class Choices(Model):
    """What is chosen; nothing where the site or the browser decides."""

    language: str | None = Field(
        None,
        max_length=10,
        description="Language of pages and messages: en, ja, ko.",
    )
    theme: Theme | None = Field(None, description="Colours of the pages.")
    default_tenant: str | None = Field(
        None, max_length=64, description="The tenant that pages open with."
    )
    opens_history: bool | None = Field(
        None,
        strict=True,
        description="Whether a start of a preprocessing leads to its history.",
    )


@routes.get("/me/preferences", Spec(answer=Choices))
async def show_preferences(ask: Ask) -> Choices:
    """Show your choices of language, colours and usual tenant."""
    return _choices(ask.chosen)


@routes.put(
    "/me/preferences",
    Spec(
        body=Choices,
        answer=Choices,
        errors=(InvalidInput,),
        example={"language": "ja", "theme": "dark", "default_tenant": None},
    ),
)
async def replace_preferences(ask: Ask) -> Choices:
    """Replace your choices; what is left out goes back to the usual."""
    sent = ask.body(Choices)
    chosen = Preferences(**sent.model_dump())
    store, languages = ask.deps.preferences, ask.deps.site.languages
    return _choices(
        await preferences.save(store, ask.me, chosen, languages, time.time())
    )


def _choices(chosen: Preferences) -> Choices:
    return Choices(
        language=chosen.language,
        theme=chosen.theme,
        default_tenant=chosen.default_tenant,
        opens_history=chosen.opens_history,
    )
