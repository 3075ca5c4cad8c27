"""The OpenAPI document says of the login what the hub does."""

from typing import Any

import jsonschema_rs
import pytest

from handlers.login_document import ANSWER, PATH, REQUEST, SCOPES, with_login
from handlers.openapi import document
from handlers.service import all_routes
from kqi_hub.domain.errors import InvalidInput
from kqi_hub.domain.login import ChangePasswordFirst, EnrolFirst, Unavailable, Wait
from kqi_hub.domain.people import Person
from kqi_hub.face.site import Site
from kqi_hub.sdk.models import Login
from spawners.login_request import SCOPES as KNOWN_SCOPES, LoginRequest
from spawners.refusals import NotLetIn, error_of

BARE = document(all_routes(), Site("Lab", "1.2.3"), "/services/portal/")
WHOLE = with_login(BARE, "/base/")
OPERATION: dict[str, Any] = WHOLE["paths"][PATH]["post"]


def test_it_is_at_the_hub_and_needs_no_token() -> None:
    assert WHOLE["paths"][PATH]["servers"][0]["url"] == "/base/hub"
    assert OPERATION["security"] == []
    assert BARE["paths"].items() <= WHOLE["paths"].items()
    ids = [
        operation["operationId"]
        for path in WHOLE["paths"].values()
        for name, operation in path.items()
        if name != "servers"
    ]
    assert len(ids) == len(set(ids))


def test_the_fields_are_those_that_the_hub_reads() -> None:
    read = LoginRequest.model_json_schema()
    assert set(REQUEST["properties"]) == set(read["properties"])
    assert set(REQUEST["required"]) == set(read["required"])
    for name, known in read["properties"].items():
        told = REQUEST["properties"][name]
        for word in ("type", "maxLength", "minimum", "minItems", "maxItems", "default"):
            assert told.get(word) == known.get(word), (name, word)
    assert SCOPES == KNOWN_SCOPES


@pytest.mark.parametrize(
    "sent",
    [
        {"name": "alice"},
        {"name": "alice", "password": 5},
        {"name": "alice", "password": "x", "lifetime_s": 1},
        {"name": "alice", "password": "x", "scopes": []},
        {"name": "alice", "password": "x", "admin": True},
    ],
)
def test_what_the_document_forbids_the_hub_refuses(sent: dict[str, Any]) -> None:
    assert not jsonschema_rs.is_valid(dict(REQUEST), sent)
    with pytest.raises(ValueError, match="validation error"):
        LoginRequest.model_validate(sent)


def test_the_answer_is_what_kqi_reads() -> None:
    said = {
        "name": "alice",
        "token": "word",
        "scopes": ["custom:kqi:write"],
        "expires_at": 1_795_000_000,
        "password_expires_in_s": None,
        "recovery_codes_left": 2,
    }
    assert jsonschema_rs.is_valid(dict(ANSWER), said)
    assert Login.read(said).token == "word"


def test_every_refusal_of_the_hub_is_told() -> None:
    alice = Person("alice", 1000, "Alice")
    outcomes = (
        Wait(5),
        Unavailable("down"),
        EnrolFirst(alice),
        ChangePasswordFirst(alice, ""),
    )
    errors = [*(error_of(outcome) for outcome in outcomes), InvalidInput("x")]
    refusals = {(error.status, error.code) for error in errors}
    refusals.add((NotLetIn.status, NotLetIn.code))
    told = {
        (int(status), code)
        for status, answer in OPERATION["responses"].items()
        for code in answer.get("x-kqi-codes", ())
    }
    assert told == refusals
