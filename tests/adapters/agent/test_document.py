"""The document of the API says of agents what agents do."""

import json
import re
from typing import Any

import pytest

from handlers.agent_document import ROUTES, with_agent
from handlers.agent_models import Piece, Refusal
from handlers.agent_route import AgentRoute
from kqi_hub.agent.app import make_app
from kqi_hub.agent.orders import OPERATIONS
from tests.adapters.agent.conftest import BASE, Lab
from tests.adapters.agent.task_calls import CREATE, TASKS, order

EMPTY: dict[str, Any] = {"paths": {}, "tags": [], "components": {"schemas": {}}}
DOCUMENT = with_agent(EMPTY, "/hub-base/")
ELSEWHERE = {"files", "runs", "terminals"}
NOT_THERE = "20260101T000000-aaaaaaaa"


async def test_every_route_of_the_agent_is_documented_and_no_other(lab: Lab) -> None:
    matchers: list[Any] = [
        rule.matcher for rule in make_app(lab.agent).wildcard_router.rules
    ]
    patterns = [matcher.regex.pattern for matcher in matchers]
    served = {one.removeprefix(BASE).removesuffix("$") for one in patterns}
    documented = {re.sub(r"\{\w+\}", "([^/]+)", r.path.lstrip("/")) for r in ROUTES}
    assert {path for path in served if path.startswith("api/")} == documented


def test_it_has_a_server_of_its_own_and_whole_references() -> None:
    for path in DOCUMENT["paths"].values():
        assert path["servers"][0]["url"] == "/hub-base/user/{person}/agent"
    text = json.dumps(DOCUMENT)
    wanted = set(re.findall(r'"#/components/schemas/(\w+)"', text))
    assert wanted <= set(DOCUMENT["components"]["schemas"])
    ids = [
        operation["operationId"]
        for path in DOCUMENT["paths"].values()
        for name, operation in path.items()
        if name != "servers"
    ]
    assert len(ids) == len(set(ids)) == len(ROUTES)


def test_the_operations_are_the_same() -> None:
    schema = DOCUMENT["components"]["schemas"]["AgentOrder"]
    assert set(schema["properties"]["operation"]["enum"]) == set(OPERATIONS)


@pytest.mark.parametrize(
    "route",
    [
        route
        for route in ROUTES
        # Files and runs are tested with files and runs.
        if route.answer
        and not {"files", "runs", "terminals"} & {*route.path.split("/")}
    ],
    ids=lambda route: f"{route.method} {route.path}",
)
async def test_what_an_agent_answers_is_what_is_documented(
    lab: Lab, route: AgentRoute
) -> None:
    lab.log(7).write_text("one\n")
    task = (await order(lab, name="other"))["id"]
    log = lab.folder / "kqi/environments" / task / "log"
    log.write_text("said\n")
    bodies: dict[str, object] = {
        "Order": CREATE, "Named": {"name": "notebook"},
        "ExampleNames": {"names": ["iris_ex.ipynb"]},
    }  # fmt: skip
    body = b"" if route.body is None else bodies[route.body.__name__]
    path = route.path.lstrip("/").format(task=task, name="notebook")
    if "job" in route.query:
        path += "?job=7&text=one" if "text" in route.query else "?job=7"
    answer = (
        await lab.get(path)
        if route.method == "GET"
        else await lab.send(path, body, method=route.method)
    )
    assert answer.code == route.status, answer.body
    assert route.answer is not None
    shown = route.answer.model_validate_json(answer.body)
    assert isinstance(shown, Piece) or set(json.loads(answer.body)) == {
        field.alias or name for name, field in type(shown).model_fields.items()
    }


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [(TASKS, {"operation": "no"}, 400), (f"{TASKS}/{NOT_THERE}/cancel", {}, 404),
     ("api/environments/default", {"name": "gone"}, 404)],
)  # fmt: skip
async def test_refusals_look_as_documented(
    lab: Lab, path: str, body: object, code: int
) -> None:
    method = "PUT" if path.endswith("default") else "POST"
    answer = await lab.send(path, body, method=method)
    assert answer.code == code
    assert Refusal.model_validate_json(answer.body).message
