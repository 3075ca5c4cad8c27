"""The client for the hub's tokens: what the hub's answers mean, and what is not one."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest
from jupyterhub.httpclient import JupyterHubHTTPClient
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from handlers.failures import HubUnavailable
from handlers.hub_tokens import HubTokensClient
from kqi_hub.domain.errors import InvalidInput, KqiError, NotFound
from kqi_hub.domain.tokens import ApiToken, NoTokenRight, Wish

# As JupyterHub 6.1.1 answers.
MODEL = {
    "user": "alice",
    "id": "a12",
    "kind": "api_token",
    "roles": [],
    "scopes": [
        "custom:kqi:write",
        "custom:kqi:read",
        "tokens!user=alice",
        "read:tokens!user=alice",
    ],
    "created": "2026-11-21T08:00:00.123456Z",
    "last_activity": None,
    "expires_at": "2026-12-21T08:00:00.123456Z",
    "note": "ci",
    "session_id": None,
    "oauth_client": "JupyterHub",
}
TOKEN = ApiToken(
    "a12",
    "ci",
    ("custom:kqi:read", "custom:kqi:write", "tokens!user"),
    1_795_248_000,
    None,
    1_797_840_000,
)
LOGIN = {**MODEL, "id": "a13", "oauth_client": "Service portal"}


WISH = Wish("ci", ("custom:kqi:read",), 3600)
Call = Callable[[HubTokensClient], Awaitable[object]]
CALLS: dict[str, Call] = {
    "tokens": lambda hub: hub.tokens("word", "alice"),
    "one": lambda hub: hub.one("word", "alice", "a12"),
    "create": lambda hub: hub.create("word", "alice", WISH),
    "revoke": lambda hub: hub.revoke("word", "alice", "a12"),
}


@dataclass
class Hub:
    """A hub that always says the same, and remembers what it was asked."""

    status: int = 200
    body: str = "{}"
    url: str = ""
    asked: list[tuple[str, str, str, str]] = field(default_factory=list)
    forgotten: int = 0

    @property
    def client(self) -> HubTokensClient:
        return HubTokensClient(f"{self.url}/hub/api/", self._forget)

    def _forget(self) -> None:
        self.forgotten += 1

    def says(self, status: int, body: object) -> None:
        self.status = status
        self.body = body if isinstance(body, str) else json.dumps(body)


class Always(RequestHandler):
    def initialize(self, hub: Hub) -> None:
        self.hub = hub

    def prepare(self) -> None:
        request = self.request
        word = request.headers.get("Authorization", "")
        said = (str(request.method), request.path, word, request.body.decode())
        self.hub.asked.append(said)
        self.set_status(self.hub.status)
        self.set_header("Location", "/elsewhere")
        self.finish(self.hub.body if self.hub.status != 204 else None)


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    hub = Hub()
    server = HTTPServer(Application([(r".*", Always, {"hub": hub})]))
    [socket] = bind_sockets(0, "127.0.0.1")
    server.add_socket(socket)
    hub.url = f"http://127.0.0.1:{socket.getsockname()[1]}"
    yield hub
    server.stop()
    await server.close_all_connections()
    await JupyterHubHTTPClient.loop_instance().close()


async def test_tokens_are_read_newest_first_without_logins(hub: Hub) -> None:
    older = {**MODEL, "id": "a2", "created": "2026-01-01T00:00:00Z", "note": None}
    hub.says(200, {"api_tokens": [older, LOGIN, MODEL]})
    newest, oldest = await hub.client.tokens("word", "alice")
    assert newest == TOKEN
    assert (oldest.id, oldest.note) == ("a2", "")
    assert hub.asked == [("GET", "/hub/api/users/alice/tokens", "token word", "")]


async def test_one_is_read_and_a_login_is_none(hub: Hub) -> None:
    hub.says(200, MODEL)
    assert await hub.client.one("word", "alice", "a12") == TOKEN
    hub.says(200, LOGIN)
    with pytest.raises(NotFound):
        await hub.client.one("word", "alice", "a13")


async def test_what_is_asked_for_is_what_the_hub_is_told(hub: Hub) -> None:
    hub.says(201, {**MODEL, "token": "the word"})
    made = await hub.client.create("word", "alice", WISH)
    assert (made.token, made.word) == (TOKEN, "the word")
    [(method, _, _, body)] = hub.asked
    assert method == "POST"
    assert json.loads(body) == {
        "note": "ci",
        "scopes": ["custom:kqi:read"],
        "expires_in": 3600,
    }


async def test_revoking_needs_no_answer_in_words(hub: Hub) -> None:
    hub.says(204, "")
    await hub.client.revoke("word", "alice", "a12")
    assert hub.asked[0][:2] == ("DELETE", "/hub/api/users/alice/tokens/a12")
    assert hub.forgotten == 1


@pytest.mark.parametrize("odd", ["../admin", "a/b", "a?b=c", "a b", "あ"])
async def test_names_and_numbers_stay_one_part_of_the_address(
    hub: Hub, odd: str
) -> None:
    hub.says(404, {})
    with pytest.raises(NotFound):
        await hub.client.one("word", odd, odd)
    _, _, user, found, _, number = hub.asked[0][1].lstrip("/").split("/")[:6]
    assert user == "users"
    assert found == number


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, InvalidInput),
        (403, NoTokenRight),
        (404, NotFound),
        (302, HubUnavailable),
        (429, HubUnavailable),
        (500, HubUnavailable),
        (503, HubUnavailable),
    ],
)
@pytest.mark.parametrize("call", CALLS)
async def test_each_refusal_of_the_hub_has_its_meaning(
    hub: Hub, status: int, error: type[KqiError], call: str
) -> None:
    hub.says(status, {"message": "no: word"})
    with pytest.raises(error) as caught:
        await CALLS[call](hub.client)
    assert "no: word" not in str(caught.value)


@pytest.mark.parametrize("body", ["", "<html>", "[", '"x"', "[]", "{}", "null"])
@pytest.mark.parametrize("call", ["tokens", "one", "create"])
async def test_something_that_is_no_hub_is_as_good_as_none(
    hub: Hub, body: str, call: str
) -> None:
    hub.says(200, body)
    with pytest.raises((HubUnavailable, NotFound)):
        await CALLS[call](hub.client)


async def test_a_hub_that_is_not_there_is_said_to_be_away() -> None:
    [socket] = bind_sockets(0, "127.0.0.1")
    url = f"http://127.0.0.1:{socket.getsockname()[1]}/hub/api"
    socket.close()
    with pytest.raises(HubUnavailable):
        await Hub(url=url.removesuffix("/hub/api")).client.tokens("word", "alice")
    await JupyterHubHTTPClient.loop_instance().close()
