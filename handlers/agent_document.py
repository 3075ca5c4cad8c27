"""The routes of people's agents in the OpenAPI document, with servers of their own."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from pydantic.json_schema import models_json_schema

from handlers import agent_models as shown
from handlers.agent_file_routes import FILE_ROUTES
from handlers.agent_route import AgentRoute, reads, sends
from handlers.agent_run_routes import RUN_ROUTES
from handlers.live import EVENT_STREAM
from handlers.route import Model
from handlers.validation import JSON_TYPE

TAG: Final = "Your agent"
# Marks what is an agent's: people's pages show the portal's own routes.
OF_AGENT: Final = "x-kqi-agent"
_REFS: Final = "#/components/schemas/Agent{model}"
_PARAMETER: Final = re.compile(r"\{([a-z_]+)\}")
_FROM: Final = "from"
_NUMBERS: Final = frozenset({_FROM, "to", "limit", "offset", "size", "exact"})
_ANY: Final = {401: "no-token", 403: "not-yours", 503: "hub-silent"}
_ORDERING: Final = {
    400: "invalid-input",
    409: "busy",
    413: "too-large",
    507: "disk-full",
}
_TASK: Final = {404: "not-there"}
_AT_TASK: Final = "/api/environments/tasks/{task}"


ROUTES: Final = (
    reads("/api/health", "Say that it works.", answer=shown.Health, codes={}),
    reads("/api/log", "Show a piece of a job's log.", answer=shown.Piece,
          query=("job", _FROM, "to"), codes={400: "invalid-input", 404: "not-there"}),
    reads("/api/log/follow", "Follow a job's log.", query=("job", _FROM),
          kind=EVENT_STREAM, codes={400: "invalid-input", 429: "too-many-streams"}),
    reads("/api/run", "Show what a job has left.", answer=shown.Run,
          query=("job",), codes={400: "invalid-input"}),
    reads("/api/environments", "List your environments, room and rules.",
          answer=shown.Environments, codes={504: "disk-hangs"}),
    reads("/api/environments/bases", "List what the site offers to begin from.",
          answer=shown.Bases, codes={409: "site"}),
    sends("PUT", "/api/environments/default", "Let notebooks begin with one.",
          body=shown.Named, answer=shown.Named,
          codes={400: "invalid-input", 404: "not-there"}),
    sends("POST", "/api/environments/sizes", "Have the size of one counted.",
          body=shown.Named, answer=shown.Named, status=202,
          codes={400: "invalid-input", 404: "not-there"}),
    reads("/api/environments/{name}/export", "Export an environment as a file.",
          query=("format",), kind="text/plain",
          codes={400: "invalid-input", 404: "not-there", 409: "records"}),
    reads("/api/environments/tasks", "List the newest tasks.", answer=shown.Tasks,
          codes={}),
    sends("POST", "/api/environments/tasks", "Order work on an environment.",
          body=shown.Order, answer=shown.Task, status=202, codes=_ORDERING),
    reads(_AT_TASK, "Show a task.", answer=shown.Task, codes=_TASK),
    sends("POST", f"{_AT_TASK}/cancel", "Cancel a task.", answer=shown.Task,
          codes=_TASK),
    sends("POST", f"{_AT_TASK}/check", "Ask Slurm once whether its job lives.",
          answer=shown.Task, codes=_TASK),
    reads(f"{_AT_TASK}/log", "Show a piece of what a task says.", query=(_FROM,),
          answer=shown.Piece, codes=_TASK),
    reads(f"{_AT_TASK}/log/follow", "Follow a task's log and state.",
          query=(_FROM,), kind=EVENT_STREAM, codes=_TASK),
    reads("/api/examples", "List the example notebooks.", answer=shown.ExampleList,
          codes={}),
    sends("POST", "/api/examples", "Copy examples into your workspace.",
          body=shown.ExampleNames, answer=shown.ExamplesMade, status=201,
          codes={400: "invalid-input", 404: "not-there"}),
    *FILE_ROUTES,
    *RUN_ROUTES,
)  # fmt: skip


def with_agent(document: Mapping[str, Any], base: str) -> dict[str, Any]:
    """Return the document with the agents' routes; `base` is the hub's prefix."""
    server = {
        "url": f"{base}user/{{person}}/agent",
        "description": "The way that POST /api/v1/agent returns, with its token.",
        "variables": {"person": {"default": "me"}},
    }
    paths: dict[str, Any] = dict(document["paths"])
    for route in ROUTES:
        here = paths.setdefault(route.path, {"servers": [server]})
        here[route.method.lower()] = _operation(route)
    components = dict(document["components"])
    components["schemas"] = {**components["schemas"], **_schemas(ROUTES)}
    return {
        **document,
        "tags": [*document["tags"], {"name": TAG}],
        "paths": paths,
        "components": components,
    }


def _schemas(routes: Iterable[AgentRoute]) -> dict[str, Any]:
    """Return the models' schemas; theirs are called Agent…, so none is mixed up."""
    used: dict[tuple[type[Model], Any], None] = {(shown.Refusal, "serialization"): None}
    for route in routes:
        if route.body:
            used[route.body, "validation"] = None
        if route.answer:
            used[route.answer, "serialization"] = None
    _, found = models_json_schema(list(used), ref_template=_REFS)
    return {
        f"Agent{name}": {**about, OF_AGENT: True}
        for name, about in found["$defs"].items()
    }


def _operation(route: AgentRoute) -> dict[str, Any]:
    names = _PARAMETER.findall(route.path)
    operation: dict[str, Any] = {
        OF_AGENT: True,
        "operationId": _id(route),
        "summary": route.summary,
        "tags": [TAG],
        "parameters": [_parameter(name, "path") for name in names]
        + [_parameter(name, "query", route.needs) for name in route.query],
        "responses": _responses(route),
        "security": [{"token": []}],
    }
    if route.takes:
        raw = {"schema": {"type": "string", "format": "binary"}}
        operation["requestBody"] = {"required": True, "content": {route.takes: raw}}
    if route.body is not None:
        schema = {"$ref": _REFS.format(model=route.body.__name__)}
        content = {JSON_TYPE: {"schema": schema}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _id(route: AgentRoute) -> str:
    words = re.findall(r"[a-z]+", route.path.removeprefix("/api/"))
    return "_".join(["agent", route.method.lower(), *words])


def _parameter(name: str, where: str, needs: Iterable[str] = ()) -> dict[str, Any]:
    is_number = name in _NUMBERS
    return {
        "name": name,
        "in": where,
        "required": where == "path" or name in needs,
        "schema": {"type": "integer" if is_number else "string"},
    }


def _responses(route: AgentRoute) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    if route.answer is not None:
        schema = {"$ref": _REFS.format(model=route.answer.__name__)}
    content = {route.kind: {"schema": schema}}
    found: dict[str, Any] = {
        str(route.status): {"description": "Done.", "content": content}
    }
    refusal = {JSON_TYPE: {"schema": {"$ref": _REFS.format(model="Refusal")}}}
    for status, code in sorted({**_ANY, **route.codes}.items()):
        found[str(status)] = {
            "description": "Refused.",
            "content": refusal,
            "x-kqi-codes": [code],
        }
    return found
