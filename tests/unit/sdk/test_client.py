import json

import httpx2
import pytest

from kqi_hub.sdk.client import Client
from kqi_hub.sdk.config import Config
from kqi_hub.sdk.errors import NotConfigured, NotReachable, Refused
from kqi_hub.sdk.run_models import Training


class RecordedPortal(httpx2.BaseTransport):
    """Answers as the portal would, and remembers what it was asked."""

    def __init__(self, status: int, body: object, kind: str = "application/json"):
        self.answer = (status, body, kind)
        self.asked: list[httpx2.Request] = []

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        status, body, kind = self.answer
        text = body if isinstance(body, str) else json.dumps(body)
        headers = {"Content-Type": kind}
        return httpx2.Response(status, headers=headers, content=text.encode())


class DeadPortal(httpx2.BaseTransport):
    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("refused", request=request)


def client(transport: httpx2.BaseTransport) -> Client:
    return Client("https://hub.example.org", "word", transport=transport)


def test_whoami_reads_tenants_and_ignores_fields_of_a_newer_portal() -> None:
    portal = RecordedPortal(
        200,
        {
            "name": "alice",
            "is_operator": True,
            "tenants": [
                {"name": "cv", "role": "viewer", "is_default": False},
                {
                    "name": "nlp",
                    "role": "member",
                    "is_default": True,
                    "colour": "blue",
                },
            ],
            "invented_later": 1,
        },
    )
    person = client(portal).whoami()
    assert person.name == "alice"
    assert person.is_operator
    assert person.tenants[1].role == "member"
    assert person.default_tenant == "nlp"
    assert portal.asked[0].headers["Authorization"] == "token word"
    assert str(portal.asked[0].url).endswith("/services/portal/api/v1/whoami")


def test_login_sends_no_token_and_hides_the_word_when_printed() -> None:
    portal = RecordedPortal(201, {"name": "alice", "token": "geheim"})
    done = Client("https://hub.example.org/", transport=portal).login("a", "b", "1")
    assert "Authorization" not in portal.asked[0].headers
    assert done.token == "geheim"
    assert "geheim" not in repr(done)


@pytest.mark.parametrize(
    ("status", "exit_code"),
    [(400, 2), (401, 3), (403, 3), (404, 4), (409, 5), (422, 12), (429, 3), (503, 7)],
)
def test_a_problem_keeps_its_code_its_words_and_has_an_exit_code(
    status: int, exit_code: int
) -> None:
    problem = {"title": "T", "detail": "What happened.", "hint": "Do.", "code": "x-y"}
    portal = RecordedPortal(status, problem, "application/problem+json")
    with pytest.raises(Refused) as caught:
        client(portal).whoami()
    assert (caught.value.code, caught.value.exit_code) == ("x-y", exit_code)
    assert str(caught.value) == "What happened. Do."


@pytest.mark.parametrize("body", ["<html>", "[1, 2]", '"text"', ""])
def test_something_that_is_no_portal_is_said_to_be_none(body: str) -> None:
    with pytest.raises(NotReachable):
        client(RecordedPortal(500, body, "text/html")).whoami()


def test_a_page_instead_of_json_is_no_portal() -> None:
    with pytest.raises(NotReachable):
        client(RecordedPortal(200, "<html>", "text/html")).whoami()


def test_a_redirect_to_a_login_page_is_refused_not_followed() -> None:
    with pytest.raises((NotReachable, Refused)):
        client(RecordedPortal(302, "", "text/html")).whoami()


def test_a_proxy_that_has_lost_its_ways_is_asked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits: list[float] = []
    monkeypatch.setattr("kqi_hub.sdk.client.time.sleep", waits.append)
    portal = RecordedPortal(200, {"name": "alice", "tenants": []})
    hub = {"Location": "/hub/services/portal/api/v1/whoami"}
    answers = [httpx2.Response(302, headers=hub) for _ in range(2)]

    def answer(request: httpx2.Request) -> httpx2.Response:
        return answers.pop() if answers else portal.handle_request(request)

    assert client(httpx2.MockTransport(answer)).whoami().name == "alice"
    assert len(waits) == 2


def test_a_proxy_that_stays_without_ways_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("kqi_hub.sdk.client._WAYS_BACK_S", 0.0)
    hub = {"Location": "/hub/services/portal/api/v1/whoami"}
    lost = httpx2.MockTransport(lambda _: httpx2.Response(302, headers=hub))
    with pytest.raises(NotReachable):
        client(lost).whoami()


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_portal_that_is_away_is_asked_again_for_what_it_tells(
    monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    waits: list[float] = []
    monkeypatch.setattr("kqi_hub.sdk.client.time.sleep", waits.append)
    portal = RecordedPortal(200, {"name": "alice", "tenants": []})
    proxys = [httpx2.Response(status, html="<p>unavailable") for _ in range(2)]

    def answer(request: httpx2.Request) -> httpx2.Response:
        return proxys.pop() if proxys else portal.handle_request(request)

    assert client(httpx2.MockTransport(answer)).whoami().name == "alice"
    assert len(waits) == 2


def test_what_a_portal_that_is_away_may_have_done_is_not_asked_again() -> None:
    away = RecordedPortal(503, "<p>unavailable", "text/html")
    with pytest.raises(NotReachable, match="Try again in a moment"):
        client(away).change_password("a", "b")
    assert len(away.asked) == 1


def test_a_portal_that_stays_away_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("kqi_hub.sdk.client._WAYS_BACK_S", 0.0)
    away = RecordedPortal(503, "<p>unavailable", "text/html")
    with pytest.raises(NotReachable, match="not there right now"):
        client(away).whoami()


def test_what_the_portal_itself_refuses_for_now_is_told_at_once() -> None:
    busy = RecordedPortal(503, {"detail": "Slurm is away."}, "application/problem+json")
    with pytest.raises(Refused, match=r"Slurm is away\."):
        client(busy).whoami()
    assert len(busy.asked) == 1


def test_a_dead_portal_says_what_to_check() -> None:
    with pytest.raises(NotReachable, match="Check the address"):
        client(DeadPortal()).whoami()


@pytest.mark.parametrize(
    "address",
    [
        "",
        "hub.example.org",
        "ftp://x/",
        "javascript:alert(1)",
        "https://u:p@host/",
        "//x",
    ],
)
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(NotConfigured):
        Client(address)


def test_without_a_token_the_machine_says_how_to_log_in() -> None:
    with pytest.raises(NotConfigured, match="kqi login"):
        Client.from_config(Config(server="https://hub.example.org/"))


def test_a_refusal_says_which_fields_are_wrong() -> None:
    said = {
        "detail": "Some of it is not right.",
        "code": "invalid-input",
        "errors": [
            {"field": "name", "code": "long", "message": "at most 30 characters"},
            {"field": "command", "code": "missing", "message": "it is missing"},
        ],
    }
    portal = RecordedPortal(400, said, "application/problem+json")
    with pytest.raises(Refused, match=r"name: at most 30 .* command: it is missing"):
        client(portal).whoami()


def test_a_condition_that_cannot_be_read_is_no_empty_list() -> None:
    answer = {"runs": [], "total": 0, "unread": {"asked_at": "yesterday"}}
    with pytest.raises(Refused, match="asked_at: 'yesterday'") as refused:
        list(client(RecordedPortal(200, answer)).runs(Training, asked_at="yesterday"))
    assert refused.value.exit_code == 2
