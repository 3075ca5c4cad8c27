"""What forms of notebooks have in common when they are sent."""

from dataclasses import replace
from typing import Final

from handlers.ask import Ask, GoTo
from handlers.failures import HubUnavailable
from handlers.pages.notebooks.form import Draft
from kqi_hub.domain.errors import (
    ClusterError,
    Conflict,
    InvalidInput,
    KqiError,
    NotFound,
    NotPermitted,
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
    HubUnavailable,
)


def shown(draft: Draft, error: KqiError) -> Draft:
    """Return the form with what it was refused for."""
    return replace(draft, error=error)


async def started(ask: Ask, notebook: Notebook) -> GoTo:
    """Start a notebook and go to its page; what prevents it is said there."""
    await ask.deps.notebooks.start(ask.who, notebook.id)
    said = N_("The notebook {name} is starting.")
    return GoTo(f"notebooks/{notebook.id}", said, {"name": notebook.choices.name})
