"""One's public SSH keys."""

from handlers.api.ssh_keys import EXAMPLE, NewSshKey, key_number
from handlers.ask import Ask, GoTo, Page
from handlers.pages.me.section import SHOWN_IN_FORM, section
from handlers.route import Routes, Spec
from kqi_hub.domain.errors import Conflict, InvalidInput, KqiError, NotFound
from kqi_hub.domain.ssh_keys import MOST_KEYS
from kqi_hub.i18n import N_
from kqi_hub.services import ssh_keys

routes = Routes(tag=N_("Pages"))


@routes.get("/me/ssh-keys", Spec())
async def show_ssh_keys(ask: Ask) -> Page:
    """Show your public SSH keys, and the form that adds one."""
    return await _list(ask)


@routes.post(
    "/me/ssh-keys",
    Spec(body=NewSshKey, errors=(InvalidInput, Conflict), example=EXAMPLE),
)
async def save_ssh_key(ask: Ask) -> Page | GoTo:
    """Add a public SSH key."""
    sent = ask.body(NewSshKey)
    try:
        key = await ssh_keys.add_key(ask.deps.account, ask.who, sent.name, sent.key)
    except SHOWN_IN_FORM as error:
        return await _list(ask, error, sent.name)
    return GoTo("me/ssh-keys", N_("The key {name} is added."), {"name": key.name})


@routes.post(
    "/me/ssh-keys/{key_id}/remove",
    Spec(errors=(NotFound,), example_path={"key_id": "1"}),
)
async def drop_ssh_key(ask: Ask) -> GoTo:
    """Remove a public SSH key."""
    number = key_number(ask.path["key_id"])
    key = await ssh_keys.remove_key(ask.deps.account, ask.who, number)
    return GoTo("me/ssh-keys", N_("The key {name} is removed."), {"name": key.name})


async def _list(ask: Ask, error: KqiError | None = None, name: str = "") -> Page:
    # What was pasted is not shown again: it may have been a private key.
    keys = await ssh_keys.list_keys(ask.deps.account, ask.me.person)
    values = {"keys": keys, "most": MOST_KEYS, "name": name}
    return section(ask, "ssh-keys", values, error)
