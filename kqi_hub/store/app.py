"""The addresses of the HTTP face."""

import json
from typing import Any, Final

from tornado.httpserver import HTTPServer
from tornado.web import Application, stream_request_body

from kqi_hub.domain.errors import NotFound
from kqi_hub.domain.tickets import Ticket
from kqi_hub.store.errors import WrongBody
from kqi_hub.store.face import Counter, FaceHandler, allow_body
from kqi_hub.store.receiving import FilePart, Pack

MOST_ASKED: Final = 5000
_DAY_S: Final = 86400.0
# 5,000 of the longest paths.
_LONGEST_QUESTION: Final = 8 * 1024 * 1024
_LONGEST_BODY: Final = 64 * 1024
_BUFFER_BYTES: Final = 1024 * 1024
_CHUNK_BYTES: Final = 256 * 1024


class Health(FaceHandler):
    """GET healthz: that it answers."""

    async def get(self) -> None:
        """Answer."""
        self.answer({"ok": True})


class About(FaceHandler):
    """GET uploads/KEY: how far an upload is."""

    async def get(self, key: str) -> None:
        """Answer."""
        self.answer(await self.beside(self._said, self.ticket(key)))

    def _said(self, ticket: Ticket) -> dict[str, object]:
        uploads = self.counter.house.uploads
        upload = uploads.take(ticket)
        try:
            came, state = upload.progress, upload.state
        finally:
            uploads.leave(ticket)
        return {
            "state": state,
            "files": ticket.files,
            "bytes": ticket.bytes,
            "received_files": came.files,
            "received_bytes": came.bytes,
            "expires_at": came.last_at + self.counter.keep_days * _DAY_S,
        }


@stream_request_body
class Known(FaceHandler):
    """POST uploads/KEY/known: which of these files are here, and how far."""

    async def prepare(self) -> None:
        """Look at the ticket before a long question is taken in."""
        self._question = bytearray()
        self._ticket = self.ticket(self.path_args[0])
        allow_body(self.request, _LONGEST_QUESTION)

    def data_received(self, chunk: bytes) -> None:
        """Collect the question."""
        self._question += chunk

    async def post(self, key: str) -> None:
        """Answer."""
        del key
        self.answer(await self.beside(self._said, self._ticket))

    def _said(self, ticket: Ticket) -> dict[str, object]:
        asked = _asked(bytes(self._question))
        uploads = self.counter.house.uploads
        upload = uploads.take(ticket)
        try:
            known = upload.known(asked)
        finally:
            uploads.leave(ticket)
        return {
            "known": [
                {"path": path, "offset": offset, "done": done}
                for path, offset, done in known
            ]
        }


class Nothing(FaceHandler):
    """Every other address."""

    async def prepare(self) -> None:
        """Say so, whatever the method."""
        raise NotFound("The store has no such address.")


def make_app(base: str, counter: Counter) -> Application:
    """Return the application; `base` begins and ends with a slash."""
    upload = f"{base}uploads/([^/]+)"
    routes: list[Any] = [
        (f"{base}healthz", Health),
        (upload, About),
        (f"{upload}/known", Known),
        (f"{upload}/file", FilePart),
        (f"{upload}/pack", Pack),
    ]
    return Application(
        routes,
        default_handler_class=Nothing,
        counter=counter,
        log_function=lambda handler: None,  # the proxy keeps the list of requests
    )


def make_server(app: Application) -> HTTPServer:
    """Return a server that takes bodies of any length in large pieces."""
    return HTTPServer(
        app,
        chunk_size=_CHUNK_BYTES,
        max_header_size=32 * 1024,
        max_body_size=_LONGEST_BODY,
        max_buffer_size=_BUFFER_BYTES,
        idle_connection_timeout=300,
    )


def _asked(body: bytes) -> list[tuple[str, int]]:
    try:
        files = [(one["path"], one["size"]) for one in json.loads(body)["files"]]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise WrongBody('Expected {"files": [{"path", "size"}, ...]}.') from error
    if len(files) > MOST_ASKED:
        raise WrongBody(f"At most {MOST_ASKED} files can be asked for at once.")
    for path, size in files:
        if not isinstance(path, str) or type(size) is not int:
            raise WrongBody("`path` must be text and `size` a whole number.")
    return files
