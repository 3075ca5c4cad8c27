"""Environments over the SDK: the portal starts the agent, the agent answers."""

import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from kqi_hub.sdk import agent_calls as module
from kqi_hub.sdk.agent_calls import AgentRefused
from kqi_hub.sdk.client import Client
from kqi_hub.sdk.errors import NotReachable, Refused

WAY = {"url": "user/alice/agent/", "token": "short-lived", "lifetime_s": 600}
TASK = {"id": "20260101T000000-aaaaaaaa", "operation": "create", "state": "waiting"}
LIST = {
    "environments": [{"name": "notebook", "state": "ready", "newer": "field"}],
    "tasks": [TASK], "room": {"free_bytes": 1}, "run_on": "job", "queue": "",
}  # fmt: skip
Answer = Callable[[httpx2.Request], httpx2.Response]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PAUSE_S", 0.01)
    monkeypatch.setattr(module, "START_S", 0.2)


class FakeServer:
    """A portal that gives ways, and an agent whose answers the test decides."""

    def __init__(self, *answers: httpx2.Response | Answer) -> None:
        self.answers = list(answers)
        self.asked: list[httpx2.Request] = []
        self.ways = 0

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/services/portal/api/v1/agent":
            self.ways += 1
            return httpx2.Response(200, json=WAY)
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer if isinstance(answer, httpx2.Response) else answer(request)

    def client(self) -> Client:
        return Client(
            "https://hub.example.org", "long", transport=httpx2.MockTransport(self)
        )


def said(body: object, status: int = 200) -> httpx2.Response:
    return httpx2.Response(status, json=body)


def test_the_list_is_the_agents_and_its_token_goes_to_it_alone() -> None:
    server = FakeServer(said(LIST))
    with server.client() as kqi:
        found = kqi.environments()
        kqi.environments()
    assert found.environments[0].name == "notebook"
    assert found.tasks[0].state == "waiting"
    assert server.ways == 1
    assert {str(request.url) for request in server.asked} == {
        "https://hub.example.org/user/alice/agent/api/environments"
    }
    assert {r.headers["Authorization"] for r in server.asked} == {"Bearer short-lived"}


@pytest.mark.parametrize(
    "starting",
    [httpx2.Response(503, text="<p>starting"), httpx2.Response(424, text="{}"),
     httpx2.Response(404, json={"status": 404}),
     httpx2.Response(302, headers={"Location": "/hub/login"}),
     httpx2.Response(200, text="<p>", headers={"Content-Type": "text/html"})],
)  # fmt: skip
def test_while_the_agent_starts_it_is_waited_for(starting: httpx2.Response) -> None:
    server = FakeServer(starting, starting, said(LIST))
    with server.client() as kqi:
        assert kqi.environments().run_on == "job"
    assert server.ways == 3


def test_an_agent_that_never_comes_is_said() -> None:
    server = FakeServer(httpx2.Response(503, text="<p>starting"))
    with server.client() as kqi, pytest.raises(NotReachable, match="does not start"):
        kqi.environments()


@pytest.mark.parametrize(
    ("status", "body", "exit_code", "task"),
    [
        (409, {"error": "busy", "message": "m", "task": "t1"}, 5, "t1"),
        (400, {"error": "invalid-input", "message": "m"}, 2, ""),
        (404, {"error": "not-there", "message": "m", "hint": "h"}, 4, ""),
        (503, {"error": "slurm-silent", "message": "m"}, 7, ""),
    ],
)
def test_what_the_agent_refuses_is_an_error_with_its_words(
    status: int, body: dict[str, Any], exit_code: int, task: str
) -> None:
    server = FakeServer(said(body, status))
    with server.client() as kqi, pytest.raises(AgentRefused) as caught:
        kqi.order_environment("create", "x", base="minimal")
    error = caught.value
    assert isinstance(error, Refused)
    assert (error.code, error.exit_code, error.task) == (body["error"], exit_code, task)
    assert error.hint == body.get("hint", "")


def test_an_order_says_only_what_was_said() -> None:
    server = FakeServer(said(TASK, 202))
    with server.client() as kqi:
        options: dict[str, object] = {"base": None, "import": "text", "queue": "free"}
        task = kqi.order_environment("create", "x", **options)
    assert not task.is_over
    assert json.loads(server.asked[0].content) == {
        "operation": "create", "name": "x", "import": "text", "queue": "free",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("call", "path"),
    [
        (lambda kqi: kqi.environment_task("../../x"), "tasks/..%2F..%2Fx"),
        (lambda kqi: kqi.cancel_environment_task("a b"), "tasks/a%20b/cancel"),
        (lambda kqi: kqi.export_environment("手/x", "a&b"),
         "%E6%89%8B%2Fx/export?format=a%26b"),
    ],
)  # fmt: skip
def test_whatever_is_typed_stays_one_part_of_the_address(
    call: Callable[[Client], object], path: str
) -> None:
    server = FakeServer(said(TASK))
    with server.client() as kqi:
        call(kqi)
    raw = server.asked[0].url.raw_path.decode()
    assert raw == f"/user/alice/agent/api/environments/{path}"
