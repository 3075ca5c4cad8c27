"""What the client asks for one's own account, and how it reads the answers."""

import json
from collections.abc import Callable

import httpx2
import pytest

from kqi_hub.sdk.client import Client
from kqi_hub.sdk.models import Choices
from tests.unit.sdk.test_client import RecordedPortal, client

TOKEN = {
    "id": "a7",
    "note": "ci",
    "scopes": ["custom:kqi:read"],
    "created_at": 1,
    "last_used_at": None,
    "expires_at": 2,
    "token": "geheim",
}
TERMS = {"version": "3", "text": "Be kind.", "accepted_at": None}
DEVICE = {"ticket": "t", "key": "ABCD", "uri": "otpauth://x", "qr_svg": "<svg/>"}
CREDENTIAL = {
    "service": "github",
    "use": "git",
    "kind": "github",
    "url": "https://github.com",
    "is_stored": True,
    "user_name": "",
    "stored_at": 5,
    "last_used_at": None,
}
CHOICES = {
    "language": "ja",
    "theme": None,
    "default_tenant": "nlp",
    "opens_history": None,
}
Call = Callable[[Client], object]


@pytest.mark.parametrize(
    ("call", "method", "path", "sent"),
    [
        (lambda c: c.profile(), "GET", "me", None),
        (lambda c: c.choices(), "GET", "me/preferences", None),
        (
            lambda c: c.save_choices(Choices("ja", None, "nlp")),
            "PUT",
            "me/preferences",
            CHOICES,
        ),
        (
            lambda c: c.change_password("a ", " b"),
            "POST",
            "me/password",
            {"old": "a ", "new": " b", "code": ""},
        ),
        (lambda c: c.factor(), "GET", "me/factor", None),
        (lambda c: c.begin_factor("1"), "POST", "me/factor/begin", {"code": "1"}),
        (
            lambda c: c.confirm_factor("t", "2"),
            "POST",
            "me/factor/confirm",
            {"ticket": "t", "code": "2"},
        ),
        (
            lambda c: c.renew_recovery_codes("3"),
            "POST",
            "me/factor/recovery-codes",
            {"code": "3"},
        ),
        (lambda c: c.tokens(), "GET", "me/tokens", None),
        (
            lambda c: c.create_token("ci", ["custom:kqi:read"], 60),
            "POST",
            "me/tokens",
            {"note": "ci", "scopes": ["custom:kqi:read"], "lifetime_s": 60},
        ),
        (
            lambda c: c.create_token("ci", ["custom:kqi:read"]),
            "POST",
            "me/tokens",
            {"note": "ci", "scopes": ["custom:kqi:read"]},
        ),
        (lambda c: c.revoke_token("a7"), "DELETE", "me/tokens/a7", None),
        (lambda c: c.ssh_keys(), "GET", "me/ssh-keys", None),
        (lambda c: c.remove_ssh_key(7), "DELETE", "me/ssh-keys/7", None),
        (lambda c: c.credentials(), "GET", "me/credentials", None),
        (
            lambda c: c.store_credential("github", "ghp", "me"),
            "PUT",
            "me/credentials/github",
            {"value": "ghp", "user_name": "me"},
        ),
        (lambda c: c.remove_credential("ngc"), "DELETE", "me/credentials/ngc", None),
        (lambda c: c.terms(), "GET", "terms", None),
        (lambda c: c.accept_terms("3"), "POST", "me/terms", {"version": "3"}),
    ],
)
def test_each_call_is_one_request(
    call: Call, method: str, path: str, sent: object
) -> None:
    everything = {
        **CREDENTIAL,
        **TERMS,
        **DEVICE,
        **CHOICES,
        **TOKEN,
        "name": "alice",
        "mode": "required",
        "is_set_up": True,
        "recovery_codes_left": 3,
        "recovery_codes": ["A", "B"],
        "tokens": [TOKEN],
        "keys": [],
        "credentials": [CREDENTIAL],
    }
    portal = RecordedPortal(200, everything)
    call(client(portal))
    [asked] = portal.asked
    assert asked.method == method
    assert asked.url.path == f"/services/portal/api/v1/{path}"
    assert (json.loads(asked.content) if asked.content else None) == sent


@pytest.mark.parametrize("odd", ["../../whoami", "a/b", "a?b=c", "a#b", "..", "", "あ"])
def test_what_is_typed_stays_one_part_of_the_address(odd: str) -> None:
    portal = RecordedPortal(204, "")
    client(portal).remove_credential(odd)
    path = portal.asked[0].url.raw_path.decode()
    assert path.startswith("/services/portal/api/v1/me/credentials/")
    assert "/" not in path.removeprefix("/services/portal/api/v1/me/credentials/")
    assert "?" not in path


def test_words_and_keys_are_not_shown_when_printed() -> None:
    made = client(RecordedPortal(201, TOKEN)).create_token("ci", ["custom:kqi:read"])
    assert made.token == "geheim"
    device = client(RecordedPortal(200, DEVICE)).begin_factor()
    assert device.key == "ABCD"
    assert "geheim" not in repr(made)
    assert "ABCD" not in repr(device)


def test_codes_and_lists_are_read_whole() -> None:
    codes = client(RecordedPortal(200, {"recovery_codes": ["A", "B"]}))
    assert codes.renew_recovery_codes("1") == ("A", "B")
    found = client(RecordedPortal(200, {"credentials": [CREDENTIAL]})).credentials()
    assert (found[0].service, found[0].stored_at) == ("github", 5)


def test_the_client_follows_no_redirect_with_a_password() -> None:
    portal = RecordedPortal(307, "", "text/html")
    with pytest.raises(Exception, match="not a portal's way"):
        client(portal).change_password("a", "b")
    assert len(portal.asked) == 1
    assert isinstance(portal.asked[0], httpx2.Request)
