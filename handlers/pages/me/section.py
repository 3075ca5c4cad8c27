"""One tab of the account's pages, with what went wrong in its form."""

from collections.abc import Mapping
from typing import Final

from handlers.ask import Ask, Page
from handlers.failures import HubUnavailable
from handlers.problem import problem_of
from kqi_hub.domain.errors import (
    Conflict,
    DirectoryUnavailable,
    InvalidInput,
    KqiError,
    NotPermitted,
    TooManyAttempts,
)

# What a form says beside itself, for the person to correct or try again.
SHOWN_IN_FORM: Final = (
    InvalidInput,
    Conflict,
    NotPermitted,
    TooManyAttempts,
    DirectoryUnavailable,
    HubUnavailable,
)


def section(
    ask: Ask,
    tab: str,
    values: Mapping[str, object],
    error: KqiError | None = None,
    template: str = "",
) -> Page:
    """Return a tab's page; `error` is what its form was refused for.

    `tab` is its address below /me, and its template unless another one is named.
    """
    problem = None if error is None else problem_of(error, ask.texts, "")
    shown = {"here": f"me/{tab}".rstrip("/"), "problem": problem, **values}
    name = template or tab.replace("-", "_")
    return Page(f"pages/me/{name}.html", shown, error.status if error else 200)
