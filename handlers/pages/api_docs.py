"""The documents of the REST API, rendered from its OpenAPI document."""

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from handlers.access import Who
from handlers.agent_document import OF_AGENT
from handlers.ask import Ask, Page, Values
from handlers.route import Routes, Spec
from kqi_hub.domain.errors import KqiError
from kqi_hub.i18n import N_, Texts

routes = Routes(tag=N_("Pages"))
Schema = Mapping[str, Any]
_JSON: Final = "application/json"
_WHO: Final = {
    Who.ANYBODY: N_("anybody, without a login"),
    Who.PERSON: N_("everybody who is logged in"),
    Who.VIEWER: N_("viewers of the tenant, and higher roles"),
    Who.MEMBER: N_("members of the tenant, and managers"),
    Who.MANAGER: N_("managers of the tenant"),
    Who.OPERATOR: N_("operators"),
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an object."""

    name: str
    type: str
    is_needed: bool
    about: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """One status that a route answers with."""

    status: str
    about: str
    shape: str
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """One route, ready to be shown."""

    id: str
    method: str
    path: str
    summary: str
    who: str
    scope: str
    parameters: tuple[Field, ...]
    body: tuple[Field, ...]
    example: str
    call: str
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """One stable code of an error."""

    code: str
    status: int
    about: str


@routes.get("/api", Spec())
async def show_api(ask: Ask) -> Page:
    """Show how programs use the portal."""
    document, texts = ask.document, ask.texts

    def values() -> Values:
        return {
            "groups": tuple(_groups(document, texts)),
            "objects": tuple(_objects(document, texts)),
            "failures": tuple(failures(texts)),
        }

    return Page("pages/api.html", values)


def failures(texts: Texts) -> Iterator[Failure]:
    """Yield every code that an error may have, once."""
    seen = set()
    for error in sorted(_family(KqiError), key=lambda e: (e.status, e.code)):
        if error.code not in seen:
            seen.add(error.code)
            about = (error.__doc__ or "").split("\n")[0]
            yield Failure(error.code, error.status, texts.say(about))


def _family(error: type[KqiError]) -> Iterator[type[KqiError]]:
    for child in error.__subclasses__():
        yield child
        yield from _family(child)


def _groups(
    document: Schema, texts: Texts
) -> Iterator[tuple[str, tuple[Operation, ...]]]:
    server = document["servers"][0]["url"]
    for tag in document["tags"]:
        operations = tuple(
            _operation(f"{method} {server}{path}", about, document, texts)
            for path, methods in document["paths"].items()
            if "servers" not in methods
            for method, about in methods.items()
            if about["tags"] == [tag["name"]]
        )
        if operations:
            yield texts.say(tag["name"]), operations


def _operation(name: str, about: Schema, document: Schema, texts: Texts) -> Operation:
    method, _, path = name.partition(" ")
    content = about.get("requestBody", {}).get("content", {}).get(_JSON, {})
    example = json.dumps(content["example"]) if content else ""
    return Operation(
        id=about["operationId"],
        method=method.upper(),
        path=path,
        summary=texts.say(about["summary"]),
        who=texts.say(_WHO[Who(about["x-kqi-who"])]),
        scope=", ".join(s for rule in about["security"] for s in rule.get("token", ())),
        parameters=tuple(_parameters(about, texts)),
        body=tuple(_fields(_resolved(content.get("schema", {}), document), texts)),
        example=example,
        call=_curl(method.upper(), path, example, bool(about["security"])),
        outcomes=tuple(_outcomes(about, texts)),
    )


def _curl(method: str, path: str, example: str, needs_token: bool) -> str:
    words = ["curl"] + ([] if method == "GET" else ["-X", method])
    if needs_token:
        words += ["-H", '"Authorization: token $KQI_TOKEN"']
    if example:
        words += ["-H", "'Content-Type: application/json'", "-d", shlex.quote(example)]
    return " ".join([*words, f'"$KQI_HUB{path}"'])


def _parameters(about: Schema, texts: Texts) -> Iterator[Field]:
    for parameter in about["parameters"]:
        schema = parameter["schema"]
        described = texts.say(schema.get("description", ""))
        yield Field(parameter["name"], _type(schema), parameter["required"], described)


def _fields(schema: Schema, texts: Texts) -> Iterator[Field]:
    needed = schema.get("required", ())
    for name, about in schema.get("properties", {}).items():
        described = texts.say(about.get("description", ""))
        yield Field(name, _type(about), name in needed, described)


def _outcomes(about: Schema, texts: Texts) -> Iterator[Outcome]:
    for status, answer in about["responses"].items():
        contents = answer.get("content", {})
        shape = next((_type(c["schema"]) for c in contents.values()), "")
        codes = tuple(answer.get("x-kqi-codes", ()))
        yield Outcome(status, texts.say(answer["description"]), shape, codes)


def _objects(document: Schema, texts: Texts) -> Iterator[tuple[str, tuple[Field, ...]]]:
    for name, schema in document["components"]["schemas"].items():
        if schema.get("properties") and OF_AGENT not in schema:
            yield name, tuple(_fields(schema, texts))


def _resolved(schema: Schema, document: Schema) -> Schema:
    name = schema.get("$ref", "").rpartition("/")[2]
    found: Schema = document["components"]["schemas"][name] if name else schema
    return found


def _type(schema: Schema) -> str:
    """Write a type as programmers do, which needs no language: Tenant[] | null."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    for choice in ("anyOf", "oneOf", "allOf"):
        if choice in schema:
            return " | ".join(dict.fromkeys(_type(one) for one in schema[choice]))
    if "enum" in schema:
        return " | ".join(json.dumps(value) for value in schema["enum"])
    if "const" in schema:
        return json.dumps(schema["const"])
    if schema.get("type") == "array":
        return f"{_type(schema.get('items', {}))}[]"
    return str(schema.get("type", "object"))
