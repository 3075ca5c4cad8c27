"""Who one is, and one's choices."""

import time
from dataclasses import replace

from pydantic import Field

from handlers.ask import Ask, GoTo, Page
from handlers.pages.me.section import section
from handlers.route import Model, Routes, Spec
from kqi_hub.domain.errors import DirectoryUnavailable, InvalidInput
from kqi_hub.domain.people import Person
from kqi_hub.domain.preferences import Theme
from kqi_hub.i18n import N_
from kqi_hub.services import account, preferences

routes = Routes(tag=N_("Pages"))


class ChoicesForm(Model):
    """What is chosen; empty where the site or the browser decides."""

    language: str = Field("", max_length=10)
    theme: str = Field("", max_length=10)
    default_tenant: str = Field("", max_length=64)


@routes.get("/me", Spec())
async def show_profile(ask: Ask) -> Page:
    """Show what the directory says of you, your tenants and your choices."""
    return await _profile(ask)


@routes.post(
    "/me",
    Spec(body=ChoicesForm, errors=(InvalidInput,), example={"language": "en"}),
)
async def save_choices(ask: Ask) -> Page | GoTo:
    """Save your choices of language, colours and usual tenant."""
    sent, site = ask.body(ChoicesForm), ask.deps.site
    try:
        chosen = replace(
            ask.chosen,
            language=sent.language or None,
            theme=_theme(sent.theme),
            default_tenant=sent.default_tenant or None,
        )
        store = ask.deps.preferences
        await preferences.save(store, ask.me, chosen, site.languages, time.time())
    except InvalidInput as error:
        return await _profile(ask, error)
    return GoTo("me", N_("Your choices are saved."))


async def _profile(ask: Ask, error: InvalidInput | None = None) -> Page:
    gate = ask.deps.account.terms
    question = await gate.question(ask.me.person) if gate.terms else None
    values = {"entry": await _entry(ask), "themes": tuple(Theme), "terms": question}
    return section(ask, "", values, error, "profile")


async def _entry(ask: Ask) -> Person | None:
    """Return what the directory says, None while it does not answer."""
    try:
        return await account.profile(ask.deps.account, ask.me.person)
    except DirectoryUnavailable:
        return None


def _theme(sent: str) -> Theme | None:
    if not sent:
        return None
    if sent not in set(Theme):
        raise InvalidInput("There are no such colours.", "Choose one of the list.")
    return Theme(sent)
