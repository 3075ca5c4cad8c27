"""FakeSessionHub: the routes of the hub's that a notebook's job and server ask."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SCOPE = "access:servers!server=alice/nb-12"


class FakeSessionHub:
    """Remembers what it was told; `status_of` may refuse or fail."""

    def __init__(self, port: int = 0) -> None:
        self.told: list[tuple[str, Any]] = []
        self.tokens: list[str] = []
        self.status_of: Callable[[str], int] = lambda path: 204
        self.queues: Any = {"trust": "none", "age_s": None, "queues": []}
        self.queues_asked = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def bodies(self, path: str = "/hub/api/kqi/session") -> list[Any]:
        """Return what was told on one route."""
        return [body for where, body in self.told if where == path]

    def port_of_server(self) -> int | None:
        """Return the port that was told, if one was."""
        ports = self.bodies("/hub/api/batchspawner")
        return int(ports[-1]["port"]) if ports else None

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                text = self.rfile.read(length)
                if self.path.endswith("/oauth2/token"):
                    self._answer(200, b'{"access_token": "the-token"}')
                    return
                body = json.loads(text)
                status = hub.status_of(self.path)
                if status == 204:
                    hub.told.append((self.path, body))
                    hub.tokens.append(self.headers.get("Authorization", ""))
                self._answer(status, b"")

            def do_GET(self) -> None:
                user = {
                    "kind": "user",
                    "name": "alice",
                    "admin": False,
                    "groups": [],
                    "scopes": [SCOPE],
                    "session_id": None,
                }
                told = user
                if self.path.endswith("/kqi/queues"):
                    hub.queues_asked += 1
                    told = hub.queues
                is_known = self.headers.get("Authorization") == "token the-token"
                text = json.dumps(told).encode() if is_known else b"{}"
                self._answer(200 if is_known else 403, text)

            def _answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        return Handler


@contextmanager
def session_hub(port: int = 0) -> Iterator[FakeSessionHub]:
    """Give one that answers."""
    hub = FakeSessionHub(port)
    try:
        yield hub
    finally:
        hub.close()


def until(found: Callable[[], Any], patience_s: float = 20.0) -> Any:
    """Return what is found as soon as it is something; fail when it never is."""
    end = time.monotonic() + patience_s
    while time.monotonic() < end:
        if answer := found():
            return answer
        time.sleep(0.02)
    raise AssertionError(f"nothing came within {patience_s} s")
