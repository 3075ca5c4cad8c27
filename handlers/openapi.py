"""The OpenAPI 3.1 document, made from the same declarations that validate."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Final, Literal

from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from handlers.access import Who
from handlers.failures import (
    Broken,
    HubUnavailable,
    InvalidFields,
    NotLoggedIn,
    StaleForm,
    TooLarge,
    WrongContentType,
)
from handlers.live import EVENT_STREAM
from handlers.problem import PROBLEM_TYPE, title_of
from handlers.route import Model, Route
from handlers.validation import JSON_TYPE
from kqi_hub.domain.errors import KqiError, NotFound, NotPermitted
from kqi_hub.face.site import Site
from kqi_hub.i18n import N_
from kqi_hub.services.terms_gate import TermsNotAccepted

Mode = Literal["validation", "serialization"]
_REFS: Final = "#/components/schemas/{model}"
_TEXT: Final = {"type": "string"}
_PROBLEM: Final = {
    "type": "object",
    "description": "An error (RFC 9457). `code` is stable; texts are for people.",
    "required": ["type", "title", "status", "detail", "code", "hint", "instance"],
    "properties": {
        "type": {**_TEXT, "format": "uri-reference"},
        "title": _TEXT,
        "status": {"type": "integer"},
        "detail": _TEXT,
        "code": _TEXT,
        "hint": _TEXT,
        "instance": {**_TEXT, "format": "uri"},
        "reason": _TEXT,
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "code", "message"],
                "properties": {"field": _TEXT, "code": _TEXT, "message": _TEXT},
            },
        },
        "blockers": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["kind", "id", "name", "why"],
                "properties": {"kind": _TEXT, "id": _TEXT, "name": _TEXT, "why": _TEXT},
            },
        },
    },
}
_EVENT: Final = {
    "type": "object",
    "description": "One event: its subject, and a JSON object as text.",
    "required": ["event", "data"],
    "properties": {"event": _TEXT, "data": _TEXT},
}
_SECURITY_SCHEMES: Final = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "A token of yours, with the scopes that the route needs.",
    },
    "login": {
        "type": "apiKey",
        "in": "cookie",
        "name": "service-portal",
        "description": "The login of a browser, with the header X-XSRFToken.",
    },
}


class _Schemas(GenerateJsonSchema):
    """pydantic's schemas without titles, which only repeat the names."""

    def field_title_should_be_set(self, schema: object) -> bool:
        """Leave the titles of fields out."""
        return False


def document(routes: Iterable[Route], site: Site, prefix: str) -> dict[str, Any]:
    """Return the OpenAPI document of all routes that are not pages."""
    described = [route for route in routes if not route.is_page]
    references, schemas = _schemas(described)
    paths: dict[str, dict[str, Any]] = {}
    for route in described:
        operation = _operation(route, references)
        paths.setdefault(route.path, {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": f"{site.name} REST API", "version": site.version},
        "servers": [{"url": prefix.rstrip("/")}],
        "tags": [{"name": tag} for tag in dict.fromkeys(r.tag for r in described)],
        "paths": paths,
        "components": {
            "schemas": {**schemas, "Problem": _PROBLEM},
            "securitySchemes": _SECURITY_SCHEMES,
        },
    }


def errors_of(route: Route) -> tuple[type[KqiError], ...]:
    """Return every error that a route may answer with."""
    spec = route.spec
    found: list[type[KqiError]] = [InvalidFields]
    if spec.who is not Who.ANYBODY:
        found += [NotLoggedIn, NotPermitted, StaleForm, HubUnavailable]
        if not spec.before_terms:
            found.append(TermsNotAccepted)
    if route.parameters:
        found.append(NotFound)
    if spec.body is not None:
        found += [TooLarge, WrongContentType]
    return tuple(dict.fromkeys([*found, *spec.errors, Broken]))


def _schemas(routes: Iterable[Route]) -> tuple[Mapping[Any, Any], dict[str, Any]]:
    used: dict[tuple[type[Model], Mode], None] = {}
    for route in routes:
        if route.spec.body:
            used[route.spec.body, "validation"] = None
        if route.spec.query:
            used[route.spec.query, "validation"] = None
        if route.spec.answer:
            used[route.spec.answer, "serialization"] = None
    return _schemas_of(tuple(used))


@cache
def _schemas_of(
    used: tuple[tuple[type[Model], Mode], ...],
) -> tuple[Mapping[Any, Any], dict[str, Any]]:
    """Return the models' schemas, which nobody changes; a tenth of a second's work."""
    references, found = models_json_schema(
        list(used), ref_template=_REFS, schema_generator=_Schemas
    )
    return references, found.get("$defs", {})


def _operation(route: Route, references: Mapping[Any, Any]) -> dict[str, Any]:
    spec = route.spec
    operation: dict[str, Any] = {
        "operationId": route.call.__name__,
        "summary": route.summary,
        "tags": [route.tag],
        "x-kqi-who": spec.who.value,
        "parameters": [*_path_parameters(route), *_query_parameters(route)],
        "responses": _responses(route, references),
        "security": [],
    }
    if spec.who is not Who.ANYBODY:
        operation["security"] = [{"token": [route.scope.value]}, {"login": []}]
    if spec.body is not None:
        content = {
            "schema": references[spec.body, "validation"],
            "example": spec.example,
        }
        operation["requestBody"] = {"required": True, "content": {JSON_TYPE: content}}
    return operation


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {**_TEXT, "minLength": 1},
        }
        for name in route.parameters
    ]


def _query_parameters(route: Route) -> list[dict[str, Any]]:
    if route.spec.query is None:
        return []
    schema = route.spec.query.model_json_schema(
        ref_template=_REFS, schema_generator=_Schemas
    )
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": about}
        for name, about in schema["properties"].items()
    ]


def _responses(route: Route, references: Mapping[Any, Any]) -> dict[str, Any]:
    spec = route.spec
    responses: dict[str, Any] = {str(spec.status): {"description": N_("Done.")}}
    if spec.streams:
        content = {EVENT_STREAM: {"schema": _EVENT}}
        responses[str(spec.status)]["content"] = content
    elif spec.plain:
        responses[str(spec.status)]["content"] = {spec.plain_type: {"schema": _TEXT}}
    elif spec.answer is None:
        responses = {"204": {"description": N_("Done; there is nothing to say.")}}
    else:
        schema = references[spec.answer, "serialization"]
        responses[str(spec.status)]["content"] = {JSON_TYPE: {"schema": schema}}
    codes = {(error.status, error.code) for error in errors_of(route)}
    for status, code in sorted(codes):
        answer = responses.setdefault(str(status), _problem(status))
        answer["x-kqi-codes"].append(code)
    return responses


def _problem(status: int) -> dict[str, Any]:
    schema = {"$ref": _REFS.format(model="Problem")}
    return {
        "description": title_of(status),
        "content": {PROBLEM_TYPE: {"schema": schema}},
        "x-kqi-codes": [],
    }
