"""What forms of notebooks have in common when they are sent."""

from dataclasses import replace
from typing import Final

from handlers.ask import Ask, GoTo, Page
from handlers.pages.notebooks.form import Draft, form_page
from kqi_hub.domain.errors import (
    ClusterError,
    Conflict,
    GitUnavailable,
    HubUnavailable,
    InvalidInput,
    NotFound,
    NotPermitted,
    RegistryUnavailable,
)
from kqi_hub.domain.notebooks import Notebook
from kqi_hub.i18n import N_

# What a form says beside itself, for the person to correct or try again.
SHOWN_IN_FORM: Final = (
    InvalidInput,
    Conflict,
    NotFound,
    NotPermitted,
    ClusterError,
    GitUnavailable,
    HubUnavailable,
    RegistryUnavailable,
)


async def saved(ask: Ask, draft: Draft, made: Notebook, then: str) -> Page | GoTo:
    """Go to a notebook that was saved, started if that was asked for.

    What prevents the start is said in the form of the notebook, which is there now.
    """
    values = {"name": made.choices.name}
    here = f"notebooks/{made.id}"
    if then != "start":
        return GoTo(here, N_("The notebook {name} is saved."), values)
    try:
        await ask.deps.notebooks.start(ask.who, made.id)
    except SHOWN_IN_FORM as error:
        sent = {**draft.sent, "seen_at": repr(made.changed_at)}
        refused = replace(draft, sent=sent, notebook=made, error=error, copied=None)
        return await form_page(ask, refused, ask.deps.notebooks.rules)
    return GoTo(here, N_("The notebook {name} is starting."), values)
