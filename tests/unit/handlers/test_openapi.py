"""The OpenAPI document says what the routes do, all of it and nothing else."""

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema_rs import meta

from handlers.access import Who
from handlers.openapi import document, errors_of
from handlers.route import Route
from handlers.service import all_routes
from kqi_hub.face.site import Site

ROUTES = tuple(route for route in all_routes() if not route.is_page)
DOCUMENT = document(all_routes(), Site("Lab & Co.", "1.2.3"), "/services/portal/")


def operation(route: Route) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["paths"][route.path][route.method.lower()]
    return found


def references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_it_is_named_and_numbered_as_the_site_is() -> None:
    assert DOCUMENT["openapi"] == "3.1.0"
    assert DOCUMENT["info"] == {"title": "Lab & Co. REST API", "version": "1.2.3"}
    assert DOCUMENT["servers"] == [{"url": "/services/portal"}]


def test_it_holds_every_route_that_is_no_page() -> None:
    found = {
        f"{method.upper()} {path}"
        for path, methods in DOCUMENT["paths"].items()
        for method in methods
    }
    assert found == {route.name for route in ROUTES}


def test_every_reference_leads_somewhere() -> None:
    found = set(references(DOCUMENT))
    assert found
    schemas = {f"#/components/schemas/{n}" for n in DOCUMENT["components"]["schemas"]}
    assert found <= schemas


def test_every_schema_is_one() -> None:
    for schema in DOCUMENT["components"]["schemas"].values():
        meta.validate(schema)


def test_every_operation_has_a_name_of_its_own() -> None:
    names = [operation(route)["operationId"] for route in ROUTES]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("route", ROUTES, ids=[r.name for r in ROUTES])
def test_every_answer_is_documented(route: Route) -> None:
    responses = operation(route)["responses"]
    done = [status for status in responses if status < "300"]
    assert len(done) == 1
    assert {str(error.status) for error in errors_of(route)} == set(responses) - {*done}
    codes = {c for r in responses.values() for c in r.get("x-kqi-codes", ())}
    assert codes == {error.code for error in errors_of(route)}


@pytest.mark.parametrize("route", ROUTES, ids=[r.name for r in ROUTES])
def test_what_needs_a_login_says_so(route: Route) -> None:
    security = operation(route)["security"]
    if route.spec.who is Who.ANYBODY:
        assert security == []
    else:
        assert security == [{"token": [route.scope.value]}, {"login": []}]


@pytest.mark.parametrize("route", ROUTES, ids=[r.name for r in ROUTES])
def test_every_parameter_of_a_path_is_described(route: Route) -> None:
    described = [p["name"] for p in operation(route)["parameters"] if p["in"] == "path"]
    assert tuple(described) == route.parameters


@pytest.mark.parametrize("route", ROUTES, ids=[r.name for r in ROUTES])
def test_every_field_is_explained(route: Route) -> None:
    for model in (route.spec.body, route.spec.answer, route.spec.query):
        for name, about in model.model_fields.items() if model else ():
            assert about.description or name == "status", f"{route.name}: {name}"
