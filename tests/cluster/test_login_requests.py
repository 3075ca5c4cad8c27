"""POST /hub/api/kqi/login: what may be asked for, and what is sent in bad faith."""

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.login_lab import API, LOGIN, LoginLab, login_lab, send_form
from tests.cluster.portal_lab import kqi_hub
from tests.cluster.stack import Stack, run_as

READ, WRITE, OPERATE = "custom:kqi:read", "custom:kqi:write", "custom:kqi:operate"
TOKENS = "tokens!user"
DAY_S = 86_400
# KELVIN SIGN, CYRILLIC and FULLWIDTH a, zero width space, dotless i, an accent apart.
LOOKALIKES = (
    *("\u212aate", "\u0430lice", "\uff41lice", "alice\u200b"),
    *("al\u0131ce", "alice\u0301"),
)
FILTERS = ("*)(uid=*", "alice)(uid=*", "*", "a*", "alice,ou=people", "\\2a", "alice\0")
FORGED = "\n[I 2026-11-21 00:00:00.000 JupyterHub] User logged in: forged\n\x1b[2J"


@pytest.fixture
def lab(stack: Stack) -> Iterator[LoginLab]:
    with login_lab(stack) as lab:
        yield lab


def test_a_token_carries_only_what_was_asked_for(lab: LoginLab) -> None:
    reply, door = lab.log_in("alice", scopes=[READ, READ]), lab.door()
    token = reply.body["token"]
    assert reply.body["scopes"] == [READ]
    held = door.ask("hub/api/user", token).json()["scopes"]
    # What every token tells about itself: whose it is.
    assert {scope for scope in held if not scope.endswith("!user=alice")} == {READ}
    assert {scope.split(":")[0] for scope in held} == {"custom", "read"}
    assert door.ask(f"{API}me/preferences", token).status_code == 200
    change = door.ask(f"{API}me/preferences", token, "PUT", json={"theme": "dark"})
    assert change.status_code == 403
    for path in ("hub/api/users/alice/tokens", "hub/api/users/bob", "hub/api/users"):
        assert door.ask(path, token).status_code in {403, 404}, path


@pytest.mark.parametrize("scopes", [[READ], [WRITE], [READ, WRITE, OPERATE, TOKENS]])
def test_nobodys_token_starts_servers_at_the_hub(
    lab: LoginLab, scopes: list[str]
) -> None:
    token = lab.log_in("carol", scopes=scopes).body["token"]
    for server in ("server", "servers/x"):
        start = lab.door().ask(f"hub/api/users/carol/{server}", token, "POST")
        assert start.status_code in {403, 404}, server


@pytest.mark.parametrize(
    ("name", "scopes", "status"),
    [
        ("carol", [OPERATE], 201),
        ("carol", [READ, OPERATE, TOKENS], 201),
        ("alice", [WRITE, TOKENS], 201),
        ("alice", [OPERATE], 400),
        ("bob", [READ, OPERATE], 400),
        ("carol", ["admin:users"], 400),
        ("carol", ["custom:kqi:everything"], 400),
        ("carol", ["inherit"], 400),
        ("carol", ["self"], 400),
        ("carol", ["servers"], 400),
        ("carol", [READ.upper()], 400),
        ("carol", [""], 400),
        ("carol", [], 400),
        ("carol", [READ] * 11, 400),
        ("carol", READ, 400),
        ("carol", [["custom:kqi:read"]], 400),
    ],
)
def test_scopes_are_granted_as_far_as_the_person_reaches(
    lab: LoginLab, name: str, scopes: Any, status: int
) -> None:
    code = lab.fresh_device(name).code()
    reply = lab.door().log_in(name, lab.password[name], code, scopes=scopes)
    assert (reply.status, reply.status == 201) == (status, "token" in reply.body)
    if status != 201:
        assert "scope" in reply.body["detail"] + reply.body["hint"]


def test_a_scope_that_does_not_exist_costs_no_code(lab: LoginLab) -> None:
    code, door = lab.fresh_device("alice").code(), lab.door()
    wrong = door.log_in("alice", lab.password["alice"], code, scopes=["custom:x"])
    assert wrong.status == 400
    assert "custom:x" in wrong.body["detail"]
    assert WRITE in wrong.body["hint"]
    assert door.log_in("alice", lab.password["alice"], code).status == 201


def test_a_token_of_the_tokens_scope_makes_others_as_large_as_itself(
    lab: LoginLab,
) -> None:
    token = lab.log_in("alice", scopes=[WRITE, TOKENS]).body["token"]
    ask = {"note": "made by a test", "scopes": [READ], "lifetime_s": 60}
    made = lab.door().ask(f"{API}me/tokens", token, "POST", json=ask)
    assert made.status_code == 201, made.text
    more = lab.door().ask(
        f"{API}me/tokens", token, "POST", json={**ask, "scopes": [OPERATE]}
    )
    assert more.status_code in {400, 403}


@pytest.mark.parametrize(
    ("asked_s", "given_s"),
    [(60, 60), (DAY_S, DAY_S), (366 * DAY_S, 366 * DAY_S), (10**18, 366 * DAY_S)],
)
def test_tokens_end_and_none_lasts_longer_than_the_site_allows(
    lab: LoginLab, asked_s: int, given_s: int
) -> None:
    reply = lab.log_in("alice", lifetime_s=asked_s, scopes=[READ, TOKENS])
    assert reply.body["expires_at"] == pytest.approx(time.time() + given_s, abs=10)
    tokens = lab.door().ask(f"{API}me/tokens", reply.body["token"]).json()["tokens"]
    ends = [one["expires_at"] for one in tokens if one["note"] == "kqi login"]
    assert any(end == pytest.approx(reply.body["expires_at"], abs=10) for end in ends)


def test_what_a_token_is_for_is_kept_and_audited_without_its_word(
    lab: LoginLab,
) -> None:
    began, note = time.time(), "nightly \u8a55\u4fa1 'x' <b>"
    reply = lab.log_in("alice", note=f"  {note} ", scopes=[READ])
    [event] = lab.audited(began, action="token-made")
    assert (event.actor, event.detail) == ("alice", {"scopes": READ, "note": note})
    assert event.target
    assert reply.body["token"] not in str(event)


RIGHT = {"name": "alice", "password": "x", "code": "123456"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"alice"',
        b"{",
        b"name=alice&password=x",
        b"\xff\xfe{}",
        b'{"name": "\xff", "password": "x"}',
        b'{"name": "\\ud800", "password": "x"}',
        b"[" * 10_000,
        json.dumps(RIGHT | {"name": ["alice"]}).encode(),
        json.dumps(RIGHT | {"name": None}).encode(),
        json.dumps(RIGHT | {"name": "a" * 10_000}).encode(),
        json.dumps(RIGHT | {"password": {"$ne": ""}}).encode(),
        json.dumps(RIGHT | {"password": "x" * 5_000}).encode(),
        json.dumps(RIGHT | {"code": 123456}).encode(),
        json.dumps(RIGHT | {"code": "1" * 300}).encode(),
        json.dumps(RIGHT | {"lifetime_s": 0}).encode(),
        json.dumps(RIGHT | {"lifetime_s": -1}).encode(),
        json.dumps(RIGHT | {"lifetime_s": "for ever"}).encode(),
        json.dumps(RIGHT | {"lifetime_s": 1.5}).encode(),
        b'{"name": "alice", "password": "x", "lifetime_s": 1e999}',
        b'{"name": "alice", "password": "x", "lifetime_s": NaN}',
        json.dumps(RIGHT | {"note": ""}).encode(),
        json.dumps(RIGHT | {"note": "  "}).encode(),
        json.dumps(RIGHT | {"note": FORGED}).encode(),
        json.dumps(RIGHT | {"note": "n" * 201}).encode(),
        json.dumps(RIGHT | {"granted": {"person": {"name": "alice"}}}).encode(),
        json.dumps(RIGHT | {"typed_name": "alice"}).encode(),
        json.dumps(RIGHT | {FORGED: "x", "hunter2": 1}).encode(),
        json.dumps(RIGHT | {"note": "x" * 20_000}).encode(),
        b" " * 1_000_000,
    ],
)
def test_what_is_no_login_is_answered_400_and_not_repeated(
    lab: LoginLab, body: bytes
) -> None:
    began = time.time()
    headers = {"Content-Type": "application/json"}
    reply = lab.door().post(content=body, headers=headers)
    assert (reply.status, reply.body["code"]) == (400, "invalid-input")
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.took_s < 1, "nothing was looked up for it"
    assert "hunter2" not in str(reply.body)
    assert "forged" not in str(reply.body)
    assert lab.audited(began, action="login") == []


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "", "text/json"]
)
def test_what_another_sites_page_could_send_is_not_even_read(
    lab: LoginLab, kind: str
) -> None:
    code = lab.fresh_device("alice").code()
    said = {"name": "alice", "password": lab.password["alice"], "code": code}
    body, door = json.dumps(said).encode(), lab.door()
    reply = door.post(content=body, headers={"Content-Type": kind})
    assert (reply.status, reply.body["code"]) == (400, "invalid-input")
    assert door.post(said).status == 201


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_there_is_no_other_way_to_ask(lab: LoginLab, method: str) -> None:
    with lab.door().client() as client:
        assert client.request(method, LOGIN).status_code in {403, 405}


@pytest.mark.parametrize("name", [*LOOKALIKES, *FILTERS, "x" * 1_000, FORGED, "-"])
def test_a_name_that_can_be_nobodys_is_refused_as_a_wrong_password_is(
    lab: LoginLab, name: str
) -> None:
    began = time.time()
    code = lab.fresh_device("alice").code()
    reply = lab.door().log_in(name, lab.password["alice"], code)
    assert (reply.status, reply.body["code"]) == (403, "not-let-in")
    assert reply.took_s >= 0.99
    [event] = lab.audited(began, action="login")
    assert name not in event.actor
    assert event.actor.isprintable()


@pytest.mark.parametrize("name", [" alice", "ALICE", "Alice\n"])
def test_a_name_with_capitals_and_spaces_is_the_directorys_all_the_same(
    lab: LoginLab, name: str
) -> None:
    code = lab.fresh_device("alice").code()
    reply = lab.door().log_in(name, lab.password["alice"], code)
    assert (reply.status, reply.body.get("name")) == (201, "alice")


@pytest.mark.parametrize("password", ["\0", "x\0", "x" * 4_000, "\u212a", "a\nb"])
def test_a_strange_password_is_a_wrong_one(lab: LoginLab, password: str) -> None:
    code = lab.fresh_device("alice").code()
    reply = lab.door().log_in("alice", lab.password["alice"] + password, code)
    assert (reply.status, reply.body["code"]) == (403, "not-let-in")


_TO_THE_HUB = """\
import sys, urllib.error, urllib.request
said = {"Content-Type": "application/json", "X-Forwarded-For": "203.0.113.66"}
ask = urllib.request.Request(sys.argv[1], b'{"name": "alice", "password": "x"}', said)
try:
    urllib.request.urlopen(ask)
except urllib.error.HTTPError as error:
    print(error.code)
"""


def test_who_has_a_shell_here_cannot_tell_the_hub_another_address(
    lab: LoginLab,
) -> None:
    began, hub = time.time(), f"http://127.0.0.1:{lab.settings.hub.hub_port}/{LOGIN}"
    ran = run_as("alice", "/usr/bin/python3", "-c", _TO_THE_HUB, hub)
    assert ran.stdout == "403\n", ran.stderr
    logins = lab.audited(began, action="login", actor="alice")
    assert [event.address for event in logins] == ["127.0.0.1"]


def test_nothing_that_was_sent_forges_a_line_of_a_log(
    lab: LoginLab, stack: Stack
) -> None:
    forged = "[I 2026-11-21 00:00:00.000 JupyterHub] forged"
    header = {"User-Agent": forged, "X-Forwarded-For": forged}
    with lab.door().client(**header) as client:
        for text in (FORGED, "forged\u2028forged", "forged-word"):
            said = {"name": text, "password": text, "code": text}
            client.post(LOGIN, json=said)
            client.post(LOGIN, json={**said, "note": text, text: text})
            assert send_form(client, text, text, text).status_code == 403
            client.get("hub/x", params={"x": text})
    for name in ("hub", "portal", "proxy"):
        log = stack.folder.logs / f"{name}.log"
        for line in log.read_text(errors="replace").splitlines():
            assert not line.startswith("[I 2026-11-21 00:00:00.000"), (name, line)
            assert "\x1b[2J" not in line, (name, line)


def test_what_was_typed_for_a_name_is_not_logged_unless_it_can_be_one(
    lab: LoginLab, stack: Stack
) -> None:
    log = stack.folder.logs / "hub.log"
    with lab.door().client() as client:
        send_form(client, "My Secret Pass-word", "x")
        send_form(client, "a-name", "x")
    logged = log.read_text(errors="replace")
    assert "My Secret" not in logged
    assert "Failed login for '(no name, 19 characters)'" in logged
    assert "Failed login for 'a-name'" in logged


@pytest.mark.parametrize(
    ("language", "letters"), [("ja", "\u3040-\u30ff"), ("ko", "\uac00-\ud7a3")]
)
def test_the_answer_is_in_the_askers_language(
    lab: LoginLab, language: str, letters: str
) -> None:
    for said in ({**RIGHT, "scopes": ["x"]}, RIGHT | {"name": "nobody-here"}, {}):
        headers = {"Accept-Language": f"{language};q=0.9, en;q=0.1"}
        problem = lab.door().post(said, headers=headers).body
        for text in (problem["title"], problem["detail"], problem["hint"]):
            assert re.search(f"[{letters}]", text), text


def test_where_somebody_comes_from_is_the_proxys_word_not_theirs(
    lab: LoginLab,
) -> None:
    door, began = lab.door(), time.time()
    forwarded = ("203.0.113.66", "203.0.113.66, 127.0.0.1", "127.0.0.1", "unknown", "")
    for one in forwarded:
        code = lab.fresh_device("alice").code()
        said = {"name": "alice", "password": lab.password["alice"], "code": code}
        headers = {"X-Forwarded-For": one, "X-Real-IP": one, "Forwarded": f"for={one}"}
        assert door.post(said, headers=headers).status == 201
    logins = lab.audited(began, action="login", actor="alice")
    assert [event.address for event in logins] == [door.address] * len(forwarded)
    shown = kqi_hub("audit", "--actor", "alice", "--action", "login", "--json")
    events = json.loads(shown.stdout)["events"][: len(forwarded)]
    assert {event["address"] for event in events} == {door.address}
