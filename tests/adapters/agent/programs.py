"""A program of the person's with a page of its own: echoes, large answers."""

import json

from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketHandler

ROOM = "".join(chr(65 + at % 26) for at in range(3_000_000)).encode()


class _Echo(RequestHandler):
    def _said(self) -> None:
        self.set_cookie("theirs", "1")
        self.add_header("Set-Cookie", "kqi-agent=stolen; Path=/")
        self.add_header("Set-Cookie", "wide=1; Domain=example.org; Path=/")
        self.set_header("Service-Worker-Allowed", "/")
        self.set_header("Clear-Site-Data", '"*"')
        self.set_header("X-Own", "yes")
        about = {
            "method": self.request.method, "uri": self.request.uri,
            "headers": sorted(self.request.headers.get_all()),
            "body": len(self.request.body),
        }  # fmt: skip
        self.write(json.dumps(about))

    get = post = put = delete = patch = options = _said


class _Away(RequestHandler):
    def get(self) -> None:
        self.redirect(self.get_argument("to"))


class _Large(RequestHandler):
    async def get(self) -> None:
        for at in range(0, len(ROOM), 100_000):
            self.write(ROOM[at : at + 100_000])
            await self.flush()


class _Socket(WebSocketHandler):
    async def on_message(self, message: str | bytes) -> None:
        if message == "headers":
            await self.write_message(json.dumps(dict(self.request.headers)))
        elif message == "bye":
            self.close(4321, "as you wish")
        else:
            await self.write_message(message, isinstance(message, bytes))

    def check_origin(self, origin: str) -> bool:
        return origin.partition("://")[2] == self.request.host


class Program:
    """A program of the person's on a port of 127.0.0.1."""

    def __init__(self) -> None:
        app = Application(
            [("/away", _Away), ("/large", _Large), ("/ws", _Socket), (".*", _Echo)],
            log_function=lambda handler: None,
        )
        self.server = HTTPServer(app, max_body_size=10**9)
        sock, self.port = bind_unused_port()
        self.server.add_socket(sock)
