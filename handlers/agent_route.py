"""One method of one address of people's agents, as the document tells it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from handlers.route import Model
from handlers.validation import JSON_TYPE


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentRoute:
    """One method of one address of an agent's.

    `takes` is the type of a body that is no JSON; `needs` are those of `query` that
    must be there.
    """

    method: str
    path: str
    summary: str
    answer: type[Model] | None = None
    body: type[Model] | None = None
    takes: str = ""
    status: int = 200
    codes: Mapping[int, str]
    query: tuple[str, ...] = ()
    needs: tuple[str, ...] = ("job",)
    kind: str = JSON_TYPE


def reads(path: str, summary: str, **about: Any) -> AgentRoute:
    """Return a route that looks."""
    return AgentRoute(method="GET", path=path, summary=summary, **about)


def sends(method: str, path: str, summary: str, **about: Any) -> AgentRoute:
    """Return a route that changes something."""
    return AgentRoute(method=method, path=path, summary=summary, **about)
