"""The REST API of one's own account, through real HTTP, beside a fake hub."""

import asyncio
from typing import Any

import pytest

from kqi_hub.domain.login import AuditEvent
from tests.adapters.handlers.conftest import Answer, Client
from tests.fakes.account import SERVICES, ed25519
from tests.fakes.hub import READ, WRITE
from tests.fakes.site import FakeSite

API = "api/v1/"
ME = f"{API}me"
KEY = {"name": "laptop", "key": f"{ed25519(1).line} me@laptop"}
TOKEN = {"note": "ci", "scopes": [READ], "lifetime_s": 3600}
HOSTILE = [
    *(
        "../../etc/passwd",
        "'; DROP TABLE ssh_keys; --",
        "<script>",
        "$(reboot)",
        "a\nb",
    ),
    *("\0", "\u202e", "\ud800", "x" * 100_000, "", " ", "{}", "%s%n"),
    *(None, 7, True, [], {}, ["x"], {"a": 1}, 1e308),
]


def last(site: FakeSite) -> AuditEvent:
    return site.account.desk.audit.events[-1]


async def test_me_is_what_the_directory_says(ask: Client) -> None:
    answer = await ask(ME, "max")
    assert answer.json["display_name"] == "Max"
    assert answer.json["mail"] == "max@example.org"
    assert answer.json["groups"] == ["kqi-users", "vision", "vision-managers"]
    assert answer.json["tenants"] == [
        {"name": "vision", "role": "manager", "is_default": False}
    ]
    ask.site.account.desk.directory.down = True
    answer = await ask(ME, "max")
    assert (answer.status, answer.json["code"]) == (503, "directory-unavailable")


async def test_a_key_is_added_listed_and_removed(ask: Client) -> None:
    added = await ask(f"{ME}/ssh-keys", "mia", "POST", KEY)
    assert added.status == 201
    assert added.json["fingerprint"] == ed25519(1).fingerprint
    assert (added.json["name"], added.json["kind"]) == ("laptop", "ssh-ed25519")
    listed = await ask(f"{ME}/ssh-keys", "mia")
    assert listed.json == {"keys": [added.json]}
    assert (await ask(f"{ME}/ssh-keys", "max")).json == {"keys": []}
    again = await ask(f"{ME}/ssh-keys", "mia", "POST", KEY)
    assert (again.status, again.json["code"]) == (409, "conflict")
    path = f"{ME}/ssh-keys/{added.json['id']}"
    assert (await ask(path, "max", "DELETE")).status == 404
    assert (await ask(path, "mia", "DELETE")).status == 204
    assert (await ask(path, "mia", "DELETE")).status == 404


@pytest.mark.parametrize("number", ["x", "-1", "0", "1.0", "9" * 30, "%30", "\uff11"])
async def test_a_number_of_no_key_is_not_there(ask: Client, number: str) -> None:
    ask.site.account.furnish("mia")
    path = f"{ME}/ssh-keys/{number}".encode().decode("latin-1")
    assert (await ask(path, "mia", "DELETE")).status == 404
    assert len(ask.site.account.keys.keys("mia")) == 1


async def test_a_private_key_is_answered_with_a_warning_and_not_kept(
    ask: Client, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ"
    text = f"-----BEGIN OPENSSH PRIVATE KEY-----\n{secret}\n-----END"
    body = {"name": "laptop", "key": text}
    answer = await ask(f"{ME}/ssh-keys", "mia", "POST", body, Accept_Language="ja")
    assert (answer.status, answer.json["code"]) == (400, "invalid-input")
    assert secret not in answer.text + caplog.text
    assert ask.site.account.keys.held == {}
    assert ask.site.account.desk.audit.events == []


@pytest.mark.parametrize("hostile", HOSTILE, ids=repr)
@pytest.mark.parametrize(
    ("method", "path", "field", "body"),
    [
        ("POST", "me/ssh-keys", "name", {"name": 0, "key": KEY["key"]}),
        ("POST", "me/ssh-keys", "key", KEY),
        ("POST", "me/tokens", "note", TOKEN),
        ("POST", "me/tokens", "scopes", TOKEN),
        ("POST", "me/tokens", "lifetime_s", TOKEN),
        ("PUT", "me/credentials/github", "value", {"value": "x"}),
        ("PUT", "me/credentials/github", "user_name", {"value": "x"}),
        ("POST", "me/password", "old", {"old": "right", "new": "better"}),
        ("POST", "me/password", "new", {"old": "right", "new": "better"}),
        ("POST", "me/password", "code", {"old": "right", "new": "better"}),
        ("POST", "me/factor/begin", "code", {}),
        ("POST", "me/factor/confirm", "ticket", {"code": "1"}),
        ("POST", "me/factor/confirm", "code", {"ticket": "x"}),
        ("POST", "me/factor/recovery-codes", "code", {}),
        ("POST", "me/terms", "version", {}),
    ],
)
async def test_no_hostile_field_does_more_than_be_refused_or_be_kept_as_text(
    ask: Client, method: str, path: str, field: str, body: Any, hostile: object
) -> None:
    ask.site.account.desk.enrol("mia")
    answer = await ask(API + path, "mia", method, {**body, field: hostile})
    assert answer.status in {200, 201, 204, 400, 403, 409, 413, 429}
    if answer.status >= 400:
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json["hint"] or answer.json["detail"]


async def test_a_credential_goes_in_and_never_comes_out(
    ask: Client, caplog: pytest.LogCaptureFixture
) -> None:
    word = "ghp_very_secret_word"
    path = f"{ME}/credentials/github"
    stored = await ask(path, "mia", "PUT", {"value": f" {word}\n"})
    assert stored.status == 200
    assert stored.json["is_stored"] is True
    listed = await ask(f"{ME}/credentials", "mia")
    assert [one["service"] for one in listed.json["credentials"]] == [
        service.name for service in SERVICES
    ]
    assert listed.json["credentials"][0]["stored_at"] == stored.json["stored_at"]
    assert word not in stored.text + listed.text + caplog.text
    assert word not in repr(ask.site.account.desk.audit.events)
    secret = ask.site.account.credentials.use("mia", SERVICES[0], 5.0)
    assert secret is not None
    assert secret.value == word
    assert (await ask(path, "max", "DELETE")).status == 404
    assert (await ask(path, "mia", "DELETE")).status == 204
    assert (await ask(path, "mia", "DELETE")).status == 404
    assert ask.site.account.credentials.held == {}


@pytest.mark.parametrize("service", ["nowhere", "GitHub", "..", "a%2Fb", "x" * 200])
async def test_there_is_nothing_for_services_that_are_not_there(
    ask: Client, service: str
) -> None:
    path = f"{ME}/credentials/{service}"
    for method, body in (("PUT", {"value": "x"}), ("DELETE", None)):
        assert (await ask(path, "mia", method, body)).status in {404, 405}
    assert ask.site.account.credentials.held == {}


async def test_the_password_is_changed_spaces_and_all(ask: Client) -> None:
    known = ask.site.account.desk.directory.accounts["mia"]
    known.password = " old one "
    body = {"old": " old one ", "new": "\tnew one "}
    assert (await ask(f"{ME}/password", "mia", "POST", body)).status == 204
    assert known.password == "\tnew one "
    assert last(ask.site).action == "password-change"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"old": "wrong", "new": "better"}, 400, "wrong-password"),
        ({"old": "right", "new": "shrt"}, 400, "invalid-input"),
        ({"old": "right", "new": "right"}, 400, "invalid-input"),
        ({"old": "", "new": "better"}, 400, "wrong-password"),
        ({"new": "better"}, 400, "invalid-input"),
    ],
)
async def test_a_password_that_is_not_changed_says_why(
    ask: Client, body: dict[str, str], status: int, code: str
) -> None:
    answer = await ask(f"{ME}/password", "mia", "POST", body)
    assert (answer.status, answer.json["code"]) == (status, code)
    assert ask.site.account.desk.directory.accounts["mia"].password == "right"
    assert "better" not in answer.text


async def test_guessing_the_password_with_a_token_is_held_back(ask: Client) -> None:
    body = {"old": "guess", "new": "better"}
    answers = [await ask(f"{ME}/password", "mia", "POST", body) for _ in range(8)]
    assert [a.status for a in answers][:6] == [400] * 6
    assert answers[-1].status == 429
    assert answers[-1].json["code"] == "too-many-attempts"
    assert int(answers[-1].headers["Retry-After"]) >= 1
    others = await ask(f"{ME}/password", "max", "POST", {**body, "old": "right"})
    assert others.status == 204


async def test_a_device_is_replaced_over_the_api(ask: Client) -> None:
    desk = ask.site.account.desk
    desk.enrol("mia")
    assert (await ask(f"{ME}/factor", "mia")).json == {
        "mode": "required",
        "is_set_up": True,
        "recovery_codes_left": 10,
    }
    begun = await ask(f"{ME}/factor/begin", "mia", "POST", {"code": desk.code("mia")})
    assert begun.json["uri"].startswith("otpauth://")
    new = desk.tickets.issued[begun.json["ticket"]].secret
    code = desk.codes.at(new, int(desk.clock.now() // desk.codes.STEP_S))
    body = {"ticket": begun.json["ticket"], "code": code}
    assert (await ask(f"{ME}/factor/confirm", "max", "POST", body)).status == 403
    done = await ask(f"{ME}/factor/confirm", "mia", "POST", body)
    assert len(done.json["recovery_codes"]) == 10
    assert desk.factors.factors["mia"].secret == new


async def test_one_code_sent_20_times_at_once_renews_the_codes_once(
    ask: Client,
) -> None:
    desk = ask.site.account.desk
    desk.enrol("mia")
    body = {"code": desk.code("mia")}
    path = f"{ME}/factor/recovery-codes"
    await ask(ME, "mia")
    answers = await asyncio.gather(*(ask(path, "mia", "POST", body) for _ in range(20)))
    assert sorted(answer.status for answer in answers).count(200) == 1


async def test_what_is_changed_is_written_down_with_the_visitors_address(
    ask: Client,
) -> None:
    await ask(f"{ME}/ssh-keys", "mia", "POST", KEY, X_Forwarded_For="198.51.100.4")
    assert last(ask.site).address == "198.51.100.4"
    forged = "203.0.113.1, 198.51.100.5"
    path = f"{ME}/credentials/github"
    await ask(path, "mia", "PUT", {"value": "x"}, X_Forwarded_For=forged)
    assert last(ask.site).address == "198.51.100.5"


async def test_tokens_are_made_listed_and_revoked(ask: Client) -> None:
    made = await ask(f"{ME}/tokens", "mia", "POST", TOKEN)
    assert made.status == 201
    assert made.json["scopes"] == [READ]
    assert made.json["expires_at"] > made.json["created_at"] > 1_700_000_000
    word = made.json["token"]
    new = Client(ask.site, {"mia": word})
    assert (await new(f"{API}whoami", "mia")).json["scopes"] == [READ]
    listed = await ask(f"{ME}/tokens", "mia")
    assert listed.json["tokens"][0] == {
        name: value for name, value in made.json.items() if name != "token"
    }
    assert word not in listed.text
    assert last(ask.site).detail["scopes"] == READ
    assert word not in repr(ask.site.account.desk.audit.events)
    path = f"{ME}/tokens/{made.json['id']}"
    assert (await ask(path, "max", "DELETE")).status == 404
    assert (await ask(path, "mia", "DELETE")).status == 204
    assert (await ask(path, "mia", "DELETE")).status == 404
    assert last(ask.site).action == "token-revoked"


def by(ask: Client, person: str, *scopes: str) -> Client:
    """Return a client with a token of these scopes."""
    return Client(ask.site, {person: ask.site.hub.token(person, *scopes)})


async def test_a_token_without_the_right_is_told_so_and_what_to_do(
    ask: Client,
) -> None:
    few = by(ask, "mia", READ, WRITE)
    for method, path, body in (
        ("GET", "tokens", None),
        ("POST", "tokens", TOKEN),
        ("DELETE", "tokens/a1", None),
    ):
        answer = await few(f"{ME}/{path}", "mia", method, body)
        assert (answer.status, answer.json["code"]) == (403, "no-token-right")
        assert "kqi login --scope" in answer.json["hint"]
    assert ask.site.account.desk.audit.events == []


async def test_a_token_makes_no_token_with_more_scopes_than_its_own(
    ask: Client,
) -> None:
    few = by(ask, "mia", READ, WRITE, "tokens!user=mia")
    before = len(ask.site.hub.made.held)
    wanted = {**TOKEN, "scopes": ["custom:kqi:operate"]}
    answer = await few(f"{ME}/tokens", "mia", "POST", wanted)
    assert (answer.status, answer.json["code"]) == (400, "invalid-input")
    assert len(ask.site.hub.made.held) == before


async def test_logins_of_browsers_are_not_among_the_tokens(ask: Client) -> None:
    ask.site.hub.token("mia", client="Service portal")
    listed = await ask(f"{ME}/tokens", "mia")
    notes = [token["id"] for token in listed.json["tokens"]]
    login = next(
        number
        for number, model in ask.site.hub.made.held.items()
        if model["oauth_client"] != "JupyterHub"
    )
    assert login not in notes
    assert (await ask(f"{ME}/tokens/{login}", "mia", "DELETE")).status == 404


async def test_a_hub_that_is_away_is_said_to_be_away(ask: Client) -> None:
    await ask(ME, "mia")
    ask.site.hub.made.is_down = True
    answer: Answer = await ask(f"{ME}/tokens", "mia")
    assert (answer.status, answer.json["code"]) == (503, "hub-unavailable")


async def test_nothing_of_it_may_be_kept_by_caches(ask: Client) -> None:
    for path in ("", "/ssh-keys", "/tokens", "/credentials", "/factor"):
        answer = await ask(ME + path, "mia")
        assert answer.headers["Cache-Control"] == "no-store"
