"""The portal's way to the hub's servers: what is sent, and what each answer means."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from jupyterhub.httpclient import JupyterHubHTTPClient
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from handlers.hub_servers import HubServersClient
from kqi_hub.domain.errors import Conflict, HubUnavailable


class Hub(RequestHandler):
    """Answer what the test says, and keep what was asked."""

    def initialize(self, lab: "Lab") -> None:
        self.lab = lab

    def _answer(self) -> None:
        self.lab.asked.append(
            (
                self.request.method or "",
                self.request.path,
                self.request.body.decode(),
                self.request.headers["Authorization"],
            )
        )
        self.set_status(self.lab.status)
        if self.lab.status != 204:
            self.finish(self.lab.text)

    get = post = delete = _answer


class Lab:
    def __init__(self) -> None:
        self.status, self.text = 201, "{}"
        self.asked: list[tuple[str, str, str, str]] = []
        [socket] = bind_sockets(0, "127.0.0.1")
        self.server = HTTPServer(Application([(r"/.*", Hub, {"lab": self})]))
        self.server.add_socket(socket)
        port = socket.getsockname()[1]
        self.client = HubServersClient(f"http://127.0.0.1:{port}/hub/api/", "word")


@pytest.fixture
async def lab() -> AsyncIterator[Lab]:
    made = Lab()
    yield made
    made.server.stop()
    await made.server.close_all_connections()
    await JupyterHubHTTPClient.loop_instance().close()


async def test_a_start_names_the_profile_and_nothing_else(lab: Lab) -> None:
    await lab.client.start("mia", "nb-1", "preset:free-4h")
    path = "/hub/api/users/mia/servers/nb-1"
    body = '{"profile": "preset:free-4h"}'
    assert lab.asked == [("POST", path, body, "token word")]


@pytest.mark.parametrize(
    ("status", "text"),
    [(201, ""), (202, ""), (400, '{"message": "mia:nb-1 is already running"}')],
)
async def test_a_start_may_be_asked_for_twice(lab: Lab, status: int, text: str) -> None:
    lab.status, lab.text = status, text
    await lab.client.start("mia", "nb-1", "notebook")


async def test_a_server_that_is_being_stopped_is_a_conflict(lab: Lab) -> None:
    lab.status, lab.text = 400, '{"message": "mia:nb-1 is pending stop"}'
    with pytest.raises(Conflict, match="pending stop"):
        await lab.client.start("mia", "nb-1", "notebook")


@pytest.mark.parametrize("status", [202, 204, 404])
async def test_stopping_what_does_not_run_is_no_error(lab: Lab, status: int) -> None:
    lab.status, lab.text = status, ""
    await lab.client.stop("mia", "nb-1")
    await lab.client.forget("mia", "nb-1")
    assert [asked[2] for asked in lab.asked] == ["", '{"remove": true}']


@pytest.mark.parametrize(("status", "text"), [(403, "{}"), (500, "<html>"), (302, "")])
async def test_other_answers_mean_that_the_hub_cannot_be_used(
    lab: Lab, status: int, text: str
) -> None:
    lab.status, lab.text = status, text
    calls: list[Callable[[], Any]] = [
        lambda: lab.client.start("mia", "nb-1", "notebook"),
        lambda: lab.client.stop("mia", "nb-1"),
        lambda: lab.client.access_token("mia", "nb-1", 60),
        lambda: lab.client.states("mia"),
    ]
    for call in calls:
        with pytest.raises(HubUnavailable):
            await call()


async def test_a_token_opens_one_server(lab: Lab) -> None:
    lab.text = '{"token": "geheim"}'
    assert await lab.client.access_token("mia", "nb-1", 60) == "geheim"
    [(_, path, body, _)] = lab.asked
    assert path == "/hub/api/users/mia/tokens"
    assert '"scopes": ["access:servers!server=mia/nb-1"]' in body
    assert '"expires_in": 60' in body


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"token"', '{"servers": 1}'])
async def test_nonsense_is_no_answer(lab: Lab, text: str) -> None:
    lab.status, lab.text = 200, text
    with pytest.raises(HubUnavailable):
        await lab.client.access_token("mia", "nb-1", 60)
    with pytest.raises(HubUnavailable):
        await lab.client.states("mia")


async def test_states_are_ready_or_what_is_pending(lab: Lab) -> None:
    lab.status, lab.text = (
        200,
        '{"servers": {"nb-1": {"ready": true, "pending": null},'
        ' "nb-2": {"ready": false, "pending": "spawn"}}}',
    )
    assert await lab.client.states("mia") == {"nb-1": "ready", "nb-2": "spawn"}


async def test_names_stay_one_part_of_the_address(lab: Lab) -> None:
    await lab.client.start("a/../b", "x?y", "notebook")
    assert lab.asked[0][1] == "/hub/api/users/a%2F..%2Fb/servers/x%3Fy"


async def test_a_hub_that_is_not_there_has_not_heard(lab: Lab) -> None:
    lab.server.stop()
    with pytest.raises(HubUnavailable) as caught:
        await lab.client.start("mia", "nb-1", "notebook")
    assert caught.value.may_have_happened is False
