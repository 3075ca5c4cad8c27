"""The fake hub's part for API tokens, as JupyterHub 6.1 answers.

tests/cluster asks the real one the same things.
"""

import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tornado.web import RequestHandler

from kqi_hub.domain.job_tokens import JOB_SCOPE

MADE = "2026-11-21T08:00:00.000000Z"
EXPIRES = "2026-12-21T08:00:00.000000Z"


def may_tokens(person: str) -> str:
    """Return the scope with which the hub lets a person see and make tokens."""
    return f"tokens!user={person}"


def expanded(scopes: Iterable[str]) -> set[str]:
    """Return scopes with what follows from them, as hub_config has it."""
    found = set(scopes)
    if "custom:kqi:write" in found:
        found |= {"custom:kqi:read", JOB_SCOPE}
    return found


@dataclass
class FakeTokens:
    """Tokens by number, in the order in which they were made."""

    held: dict[str, dict[str, Any]] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    is_down: bool = False
    # The word of the portal itself, which may make and revoke everybody's tokens.
    service: str = ""

    def add(self, word: str, owner: dict[str, Any], **about: Any) -> dict[str, Any]:
        number = f"a{len(self.words) + 1}"
        self.words[number] = word
        self.held[number] = {
            "user": owner["name"],
            "id": number,
            "kind": "api_token",
            "roles": [],
            "scopes": list(owner["scopes"]),
            "created": MADE,
            "last_activity": None,
            "expires_at": EXPIRES,
            "note": "of a test",
            "session_id": None,
            "oauth_client": "JupyterHub",
            **about,
        }
        owner["token_id"] = number
        return self.held[number]


def token_routes(made: FakeTokens, known: dict[str, dict[str, Any]]) -> list[Any]:
    """Return the routes; `known` says whose word a token is."""
    about = {"made": made, "known": known}
    path = r"/hub/api/users/([^/]+)/tokens"
    return [
        (path, ListHandler, about),
        (f"{path}/([^/]+)", OneHandler, about),
    ]


class _Handler(RequestHandler):
    def initialize(self, made: FakeTokens, known: dict[str, dict[str, Any]]) -> None:
        self.made = made
        self.known = known

    def prepare(self) -> None:
        word = self.request.headers["Authorization"].partition(" ")[2]
        model = self.known.get(word, {"name": "", "scopes": []})
        if self.made.is_down:
            self._refuse(503)
        elif word == self.made.service:
            return
        elif may_tokens(model["name"]) not in model["scopes"]:
            self._refuse(403)
        elif model["name"] != self.path_args[0]:
            self._refuse(404)

    def theirs(self, person: str, number: str) -> dict[str, Any] | None:
        model = self.made.held.get(number)
        return model if model is not None and model["user"] == person else None

    def _refuse(self, status: int) -> None:
        self.set_status(status)
        self.finish({"status": status, "message": "no"})


class ListHandler(_Handler):
    """All tokens of a person, and new ones."""

    def get(self, person: str) -> None:
        held = [m for m in self.made.held.values() if m["user"] == person]
        self.finish({"api_tokens": held})

    def post(self, person: str) -> None:
        asked = json.loads(self.request.body)
        word = secrets.token_hex(16)
        owner = next((m for m in self.known.values() if m["name"] == person), None)
        if owner is None:
            owner = {"kind": "user", "name": person, "groups": []}
            owner |= {"scopes": ["custom:kqi:write"]}
        if not set(asked["scopes"]) <= expanded(owner["scopes"]):
            self._refuse(400)
            return
        self.known[word] = {**owner, "scopes": sorted(expanded(asked["scopes"]))}
        model = self.made.add(word, self.known[word], note=asked["note"])
        self.set_status(201)
        self.finish({**model, "token": word})


class OneHandler(_Handler):
    """One token."""

    def get(self, person: str, number: str) -> None:
        model = self.theirs(person, number)
        if model is None:
            self._refuse(404)
        else:
            self.finish(model)

    def delete(self, person: str, number: str) -> None:
        if self.theirs(person, number) is None:
            self._refuse(404)
            return
        del self.made.held[number]
        self.known.pop(self.made.words[number], None)
        self.set_status(204)
