"""What each kind of asker is answered on each route: the table in the documents.

`python -m handlers.role_table` writes it; tests ask every route as every asker and
compare, so the table is true.
"""

import sys
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Final

from handlers.access import Who
from handlers.route import Route
from handlers.service import all_routes
from kqi_hub.domain.people import Role

_ROLES: Final = {"viewer": Role.VIEWER, "member": Role.MEMBER, "manager": Role.MANAGER}
_HEAD: Final = """\
# Routes and roles

Written by `python -m handlers.role_table`; `tests/adapters/handlers/test_roles.py` asks
every route as every asker and compares. `viewer`, `member` and `manager` are people of
the tenant that is asked for, `stranger` is a member of another one. Everybody's login
has all scopes here; with a token that lacks the scope of the route, the answer is 403.
302 leads to the login.

"""


class Asker(StrEnum):
    """Who asks."""

    ANONYMOUS = "anonymous"
    VIEWER = "viewer"
    MEMBER = "member"
    MANAGER = "manager"
    OPERATOR = "operator"
    STRANGER = "stranger"


def status_for(route: Route, asker: Asker) -> int:
    """Return the status that a right request is answered with."""
    return _refusal(route, asker) or _done(route)


def _refusal(route: Route, asker: Asker) -> int | None:
    who = route.spec.who
    if who is Who.ANYBODY or asker is Asker.OPERATOR:
        return None
    if asker is Asker.ANONYMOUS:
        return 302 if route.is_page and route.is_reading else 401
    if who.role is None:
        return 403 if who is Who.OPERATOR else None
    if asker is Asker.STRANGER:
        return 404
    return None if _ROLES[asker.value] >= who.role else 403


def markdown(routes: Iterable[Route]) -> str:
    """Return the document."""
    return _HEAD + "\n".join(_lines(routes)) + "\n"


def _done(route: Route) -> int:
    spec = route.spec
    if spec.answer is not None or spec.streams or spec.plain:
        return spec.status
    if not route.is_page:
        return 204
    return 200 if route.is_reading or route.spec.shows else 303


def _lines(routes: Iterable[Route]) -> Iterator[str]:
    yield f"| route | scope | {' | '.join(Asker)} |"
    yield "|---|---|" + "---|" * len(Asker)
    for route in sorted(routes, key=lambda r: (r.is_page, r.path, r.method)):
        scope = "none" if route.spec.who is Who.ANYBODY else f"`{route.scope.value}`"
        cells = " | ".join(str(status_for(route, asker)) for asker in Asker)
        yield f"| `{route.name}` | {scope} | {cells} |"


if __name__ == "__main__":
    sys.stdout.write(markdown(all_routes()))
