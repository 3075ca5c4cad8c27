"""FakeHub: the two routes of JupyterHub's that an agent asks, with tokens to revoke."""

import json
from dataclasses import dataclass, field
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler

SCOPE = "access:servers!server=alice/agent"


def model(name: str, *scopes: str, kind: str = "user") -> dict[str, Any]:
    """Return what the hub says of somebody."""
    return {"kind": kind, "name": name, "scopes": list(scopes)}


@dataclass
class FakeHub:
    """What the hub knows; tests change it while it runs."""

    tokens: dict[str, object] = field(
        default_factory=lambda: {
            "alices": model("alice", SCOPE, "read:users!user=alice"),
            "alices-other": model("alice", "custom:kqi:read"),
            "bobs": model("bob", "access:servers!server=bob/agent"),
            "operators": model("olga", SCOPE, "access:servers"),
            "portals": model("alice", SCOPE, kind="service"),
            "odd": ["not", "a", "model"],
            "odd-scopes": {"kind": "user", "name": "alice", "scopes": SCOPE},
        }
    )
    codes: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    exchanges: list[dict[str, str]] = field(default_factory=list)
    fails_with: int = 0
    port: int = 0

    def start(self) -> HTTPServer:
        """Listen on a free port."""
        app = Application(
            [("/hub/api/user", _User), ("/hub/api/oauth2/token", _Token)],
            hub=self, log_function=lambda handler: None,
        )  # fmt: skip
        server = HTTPServer(app)
        sock, self.port = bind_unused_port()
        server.add_socket(sock)
        return server


class _Handler(RequestHandler):
    @property
    def hub(self) -> FakeHub:
        hub: FakeHub = self.settings["hub"]
        return hub

    def prepare(self) -> None:
        if self.hub.fails_with:
            self.set_status(self.hub.fails_with)
            self.finish()


class _User(_Handler):
    def get(self) -> None:
        token = self.request.headers["Authorization"].removeprefix("token ")
        self.hub.asked.append(token)
        found = self.hub.tokens.get(token)
        self.set_status(403 if found is None else 200)
        self.finish(json.dumps(found))


class _Token(_Handler):
    def post(self) -> None:
        form = {name: self.get_body_argument(name) for name in self.request.arguments}
        self.hub.exchanges.append(form)
        token = self.hub.codes.pop(form["code"], None)
        if token is None:
            self.set_status(400)
            self.finish(json.dumps({"error": "invalid_grant"}))
        else:
            self.finish(json.dumps({"access_token": token}))
