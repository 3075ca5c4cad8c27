"""Routes: what one declaration says, and the declarations that are refused."""

import re

import pytest

from handlers.access import Scope, Who
from handlers.ask import Ask
from handlers.route import Model, Route, Routes, Spec
from handlers.service import all_routes


class Thing(Model):
    """A body."""

    name: str


async def answer(_: Ask) -> None:
    """Answer at once.

    The rest of the docstring is for developers.
    """


def route(method: str, path: str, spec: Spec | None = None) -> Route:
    return Route(method, path, spec or Spec(), answer, "tag")


@pytest.mark.parametrize(
    ("method", "scope"),
    [
        ("GET", Scope.READ),
        ("POST", Scope.WRITE),
        ("PUT", Scope.WRITE),
        ("DELETE", Scope.WRITE),
    ],
)
def test_what_changes_something_needs_the_scope_for_it(
    method: str, scope: Scope
) -> None:
    assert route(method, "/api/v1/x").scope is scope


def test_a_scope_can_be_named() -> None:
    assert route("GET", "/x", Spec(scope=Scope.OPERATE)).scope is Scope.OPERATE


def test_the_summary_is_the_docstrings_first_line() -> None:
    assert route("GET", "/x").summary == "Answer at once."


@pytest.mark.parametrize(
    ("path", "asked", "found"),
    [
        ("/tenants/{tenant}", "/tenants/vision", {"tenant": "vision"}),
        ("/tenants/{tenant}", "/tenants/a_b-c.d@e", {"tenant": "a_b-c.d@e"}),
        ("/tenants/{tenant}", "/tenants/", None),
        ("/tenants/{tenant}", "/tenants/a/b", None),
        ("/tenants/{tenant}", "/tenants/..", None),
        ("/tenants/{tenant}", "/tenants/-x", None),
        ("/tenants/{tenant}", "/tenants/" + "x" * 129, None),
        ("/tenants/{tenant}", "/tenants/a\nb", None),
        ("/tenants", "/tenantsX", None),
    ],
)
def test_a_path_takes_only_names(
    path: str, asked: str, found: dict[str, str] | None
) -> None:
    match = re.fullmatch(route("GET", path).pattern, asked)
    assert (match.groupdict() if match else None) == found


def test_a_parameter_needs_an_example() -> None:
    with pytest.raises(ValueError, match="no example for number"):
        route("GET", "/api/v1/jobs/{number}")


def test_a_body_needs_an_example() -> None:
    with pytest.raises(ValueError, match="no example of a body"):
        route("PUT", "/api/v1/things", Spec(body=Thing))


def test_every_method_is_declared_under_its_own_name() -> None:
    routes = Routes("/api/v1", tag="tag")
    for name in ("get", "post", "put", "patch", "delete"):
        getattr(routes, name)("/x", Spec())(answer)
    assert [r.name for r in routes.all] == [
        f"{method} /api/v1/x" for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
    ]


ALL = all_routes()


@pytest.mark.parametrize("route", ALL, ids=[r.name for r in ALL])
def test_every_route_of_the_portal_says_what_it_does(route: Route) -> None:
    assert re.fullmatch(r"[A-Z].*\.", route.summary)
    assert route.tag


# A job has no token before this one: the ticket in its body is the proof.
PROVED_BY_ITS_BODY = {"POST /api/v1/job-token"}


def test_a_route_for_anybody_only_reads_or_has_its_proof_in_its_body() -> None:
    for_anybody = [r for r in ALL if r.spec.who is Who.ANYBODY]
    assert {r.name for r in for_anybody if not r.is_reading} == PROVED_BY_ITS_BODY


@pytest.mark.parametrize("route", ALL, ids=[r.name for r in ALL])
def test_an_example_of_a_body_is_right(route: Route) -> None:
    if route.spec.body is not None:
        sent = route.spec.body.model_validate(route.spec.example)
        assert set(sent.model_dump(by_alias=True)) >= set(route.spec.example or {})
