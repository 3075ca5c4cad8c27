"""Every route as every asker: the answers are those of the table in the documents."""

from pathlib import Path
from urllib.parse import quote, urlencode

import pytest

from handlers.access import Scope, Who
from handlers.role_table import Asker, markdown, status_for
from handlers.route import Route
from handlers.service import all_routes
from tests.adapters.handlers.conftest import Client
from tests.fakes.hub import SCOPES
from tests.fakes.site import FakeSite

DOCUMENT = Path(__file__).resolve().parents[3] / "docs/developers/routes.md"
PEOPLE = {
    Asker.ANONYMOUS: None,
    Asker.VIEWER: "victor",
    Asker.MEMBER: "mia",
    Asker.MANAGER: "max",
    Asker.OPERATOR: "rita",
    Asker.STRANGER: "mallory",
}
ROUTES = all_routes()


def path_of(route: Route) -> str:
    """Return a path with right values, in the tenant `vision`."""
    values = {"tenant": "vision", **route.spec.example_path}
    quoted = {name: quote(str(value), safe="") for name, value in values.items()}
    path = route.path.lstrip("/").format_map(quoted)
    query = route.spec.query
    takes_tenant = route.is_page or (query and "tenant" in query.model_fields)
    is_for_role = route.spec.who.role is not None and "{tenant}" not in route.path
    needs_tenant = is_for_role and takes_tenant
    return f"{path}?tenant=vision" if needs_tenant else path


async def furnish(site: FakeSite, person: str) -> None:
    """Give a person what the examples of the routes speak of; nobody else has it."""
    site.hub.made.held.clear()
    site.hub.made.words.clear()
    site.account.furnish(person)
    site.notebooks.furnish(person)
    await site.data.furnish(person)
    site.runs.furnish(person)
    site.preprocessings.furnish(person)
    site.preprocessings.furnish_outside(person)
    site.own_jobs.furnish(site.queues.store, person)
    site.usage.furnish(person)
    site.rates.furnish()
    site.ledger.furnish()
    site.closing.furnish()


async def answered(ask: Client, route: Route, person: str | None) -> int:
    body: object = route.spec.example
    headers = {}
    if route.is_page and route.spec.body is not None:
        fields = route.spec.example or {}
        body = urlencode(fields).encode()
        headers["Content_Type"] = "application/x-www-form-urlencoded"
    answer = await ask(path_of(route), person, route.method, body, **headers)
    assert isinstance(answer.status, int)
    return answer.status


@pytest.mark.parametrize("route", ROUTES, ids=[route.name for route in ROUTES])
async def test_a_route_answers_each_asker_as_documented(
    ask: Client, site: FakeSite, route: Route
) -> None:
    answers = {}
    for asker, person in PEOPLE.items():
        if person is not None:
            await furnish(site, person)
        answers[asker] = await answered(ask, route, person)
    assert answers == {asker: status_for(route, asker) for asker in Asker}


async def test_a_token_without_the_scope_of_a_route_is_refused(
    ask: Client, site: FakeSite
) -> None:
    answers = {}
    for route in ROUTES:
        if route.spec.who is not Who.ANYBODY:
            others = [scope for scope in SCOPES if scope != route.scope.value]
            ask.tokens["rita"] = site.hub.token("rita", *others)
            answers[route.name] = await answered(ask, route, "rita")
    assert len(answers) > len(ROUTES) / 2
    assert {name: code for name, code in answers.items() if code != 403} == {}


def test_every_scope_is_one_that_the_hub_is_told_of() -> None:
    assert {route.scope for route in all_routes()} <= set(Scope)
    assert {scope.value for scope in Scope} == set(SCOPES)


def test_the_table_in_the_documents_is_up_to_date() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == markdown(all_routes()), (
        "run: python -m handlers.role_table > docs/developers/routes.md"
    )
