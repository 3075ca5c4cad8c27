"""What one proves oneself with at Git services and registries: a list, and each one."""

from collections.abc import Iterable

from handlers.api.credentials import NewCredential
from handlers.ask import Ask, GoTo, Page
from handlers.pages.me.section import SHOWN_IN_FORM, section
from handlers.route import Routes, Spec
from kqi_hub.domain.credentials import Use
from kqi_hub.domain.errors import InvalidInput, KqiError, NotFound
from kqi_hub.i18n import N_
from kqi_hub.services import credentials
from kqi_hub.services.credentials import Entry

routes = Routes(tag=N_("Pages"))
_HERE = {"service": "github"}


@routes.get("/me/credentials", Spec())
async def show_credentials(ask: Ask) -> Page:
    """Show the site's Git services and registries, and what you stored for them."""
    entries = await credentials.entries(ask.deps.account, ask.me.person)
    values = {
        "git": _of(Use.GIT, entries),
        "registries": _of(Use.REGISTRY, entries),
        "former": [entry for entry in entries if entry.service is None],
    }
    return section(ask, "credentials", values)


@routes.get("/me/credentials/{service}", Spec(errors=(NotFound,), example_path=_HERE))
async def show_credential(ask: Ask) -> Page:
    """Show what you stored for one service, and the form that replaces it."""
    return await _one(ask)


@routes.post(
    "/me/credentials/{service}",
    Spec(
        body=NewCredential,
        errors=(InvalidInput, NotFound),
        example_path=_HERE,
        example={"user_name": "", "value": "ghp_0123456789"},
    ),
)
async def save_credential(ask: Ask) -> Page | GoTo:
    """Store or replace your token or password for a service."""
    sent, name = ask.body(NewCredential), ask.path["service"]
    value = sent.value.get_secret_value()
    try:
        await credentials.store(ask.deps.account, ask.who, name, sent.user_name, value)
    except SHOWN_IN_FORM as error:
        return await _one(ask, error, sent.user_name)
    said = N_("What you entered for {service} is stored.")
    return GoTo("me/credentials", said, {"service": name})


@routes.post(
    "/me/credentials/{service}/remove", Spec(errors=(NotFound,), example_path=_HERE)
)
async def drop_credential(ask: Ask) -> GoTo:
    """Remove your token or password for a service."""
    name = ask.path["service"]
    await credentials.remove(ask.deps.account, ask.who, name)
    said = N_("What you stored for {service} is removed.")
    return GoTo("me/credentials", said, {"service": name})


async def _one(
    ask: Ask, error: KqiError | None = None, user_name: str | None = None
) -> Page:
    found = await credentials.entries(ask.deps.account, ask.me.person)
    entry = next((e for e in found if e.name == ask.path["service"]), None)
    if entry is None:
        raise NotFound("This site has no service of that name.", "See the list.")
    known = entry.stored.user_name if entry.stored else ""
    values = {"entry": entry, "user_name": known if user_name is None else user_name}
    return section(ask, "credentials", values, error, "credential")


def _of(use: Use, entries: Iterable[Entry]) -> list[Entry]:
    return [e for e in entries if e.service is not None and e.service.use is use]
