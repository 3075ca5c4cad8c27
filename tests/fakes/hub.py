"""A fake JupyterHub: it knows who a token or a login is, and nothing else.

It speaks what jupyterhub.services.auth asks of a hub: `/hub/api/user`, and OAuth with
PKCE. A browser logs in by opening `/hub/login?as=alice`. What only a real hub can show
(scopes that it grants, logins that expire) is tested inside the cluster.
"""

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from tornado.web import Application, RequestHandler

from tests.fakes.hub_tokens import FakeTokens, may_tokens, token_routes

READ, WRITE, OPERATE = "custom:kqi:read", "custom:kqi:write", "custom:kqi:operate"
SCOPES = (READ, WRITE, OPERATE)
CLIENT = "service-portal"
SECRET = "the portal's own token"


@dataclass
class FakeHub:
    """People by name with their groups, and the tokens that were handed out."""

    people: Mapping[str, tuple[str, ...]]
    scopes: tuple[str, ...] = SCOPES
    tokens: dict[str, dict[str, Any]] = field(default_factory=dict)
    made: FakeTokens = field(default_factory=lambda: FakeTokens(service=SECRET))
    codes: dict[str, tuple[str, str]] = field(default_factory=dict)
    questions: int = 0
    is_broken: bool = False

    def token(
        self,
        person: str,
        *scopes: str,
        kind: str = "user",
        client: str = "JupyterHub",
    ) -> str:
        """Hand out a token, with all scopes when none are named."""
        token = secrets.token_hex(16)
        self.tokens[token] = {
            "kind": kind,
            "name": person,
            "groups": list(self.people.get(person, ())),
            "scopes": list(scopes or (*self.scopes, may_tokens(person))),
            "session_id": None,
        }
        self.made.add(token, self.tokens[token], oauth_client=client)
        return token

    def application(self) -> Application:
        """Return the web application of `/hub/`."""
        about = {"hub": self}
        return Application(
            [
                (r"/hub/api/user", UserHandler, about),
                *token_routes(self.made, self.tokens),
                (r"/hub/api/oauth2/authorize", AuthorizeHandler, about),
                (r"/hub/api/oauth2/token", TokenHandler, about),
                (r"/hub/login", LoginHandler, about),
                (r"/hub/logout", LogoutHandler, about),
            ],
            cookie_secret="fake",
            log_function=lambda handler: None,
        )


class _Handler(RequestHandler):
    def initialize(self, hub: FakeHub) -> None:
        self.hub = hub

    def person(self) -> str | None:
        return self.get_cookie("fake-login")


class UserHandler(_Handler):
    """Whose is this token?"""

    def get(self) -> None:
        self.hub.questions += 1
        if self.hub.is_broken:
            self.set_status(503)
            return
        token = self.request.headers["Authorization"].split()[-1]
        model = self.hub.tokens.get(token)
        if model is None:
            self.set_status(403)
            self.finish({"message": "no such token"})
        else:
            self.finish(model)


class AuthorizeHandler(_Handler):
    """Send a browser that is logged in back with a code."""

    def get(self) -> None:
        person = self.person()
        if person is None:
            uri = str(self.request.uri)
            self.redirect(f"/hub/login?{urlencode({'next': uri})}")
            return
        code = secrets.token_hex(8)
        self.hub.codes[code] = (person, self.get_argument("code_challenge"))
        state = self.get_argument("state")
        query = urlencode({"code": code, "state": state})
        self.redirect(f"{self.get_argument('redirect_uri')}?{query}")


class TokenHandler(_Handler):
    """Give a token for a code, once, to who began the login."""

    def post(self) -> None:
        person, challenge = self.hub.codes.pop(self.get_argument("code"), ("", ""))
        verifier = self.get_argument("code_verifier", "")
        digest = hashlib.sha256(verifier.encode()).digest()
        answer = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if answer != challenge or self.get_argument("client_secret") != SECRET:
            self.set_status(400)
            self.finish({"error": "invalid_grant"})
            return
        self.finish({"access_token": self.hub.token(person, client="Service portal")})


class LoginHandler(_Handler):
    """Log a browser in as anybody: this is no real hub."""

    def get(self) -> None:
        person = self.get_argument("as", "")
        if person not in self.hub.people:
            self.finish("<title>Fake login</title>Open /hub/login?as=NAME")
            return
        self.set_cookie("fake-login", person)
        self.set_cookie("jupyterhub-session-id", secrets.token_hex(8))
        self.redirect(self.get_argument("next", "/services/portal/"))


class LogoutHandler(_Handler):
    """Forget the browser."""

    def get(self) -> None:
        self.clear_cookie("fake-login")
        self.clear_cookie("jupyterhub-session-id")
        self.finish("<title>Logged out</title>")
