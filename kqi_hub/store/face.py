"""What every answer of the HTTP face has in common: the ticket, errors, threads."""

import asyncio
import json
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, ParamSpec, TypeVar

from tornado.httputil import HTTPServerRequest
from tornado.web import RequestHandler

from kqi_hub.domain.errors import Incomplete, KqiError
from kqi_hub.domain.tickets import BadTicket, Ticket, checked
from kqi_hub.store.errors import Refusal, WrongBody
from kqi_hub.store.house import House

P = ParamSpec("P")
T = TypeVar("T")
_LOG: Final = logging.getLogger(__name__)
HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Content-Type": "application/json",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class Counter:
    """What handlers work with."""

    house: House
    key: bytes
    threads: ThreadPoolExecutor
    keep_days: float


class FaceHandler(RequestHandler):
    """A handler that anybody reaches."""

    @property
    def counter(self) -> Counter:
        """Return what this process works with."""
        counter: Counter = self.settings["counter"]
        return counter

    def set_default_headers(self) -> None:
        """Give every answer the headers that keep browsers strict."""
        for name, value in HEADERS.items():
            self.set_header(name, value)
        self.clear_header("Server")

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer every error as JSON; what went wrong inside stays in the log."""
        _, error, _ = kwargs.get("exc_info", (None, None, None))
        said: dict[str, object] = {"error": "error", "message": self._reason}
        if isinstance(error, KqiError):
            self.set_status(error.status)
            said = refusal(error)
        self.finish(json.dumps(said))

    def log_exception(self, *details: Any) -> None:
        """Log what is our fault only."""
        if not isinstance(details[1], KqiError):
            super().log_exception(*details)

    def answer(self, fields: object) -> None:
        """Finish with JSON."""
        self.finish(json.dumps(fields))

    async def beside(
        self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Do what blocks in a thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self.counter.threads, lambda: work(*args, **kwargs)
        )

    def ticket(self, key: str) -> Ticket:
        """Return what the caller's ticket says; it must be this upload's."""
        kind, _, text = self.request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer":
            raise BadTicket(
                "A ticket is missing.", "Send it: `Authorization: Bearer TICKET`."
            )
        ticket = checked(text.strip(), self.counter.key, time.time())
        if ticket.upload != key:
            raise BadTicket("This ticket is another upload's.")
        return ticket

    def number(self, name: str) -> int:
        """Return a number of the address."""
        text = self.text(name)
        if not (text.isascii() and text.isdigit() and len(text) <= 18):
            raise WrongBody(f"`{name}` must be a whole number, once.")
        return int(text)

    def text(self, name: str) -> str:
        """Return a value of the address, as it was sent."""
        given = self.request.query_arguments.get(name, [])
        if len(given) != 1:
            raise WrongBody(f"`{name}` must be given, once.")
        try:
            return given[0].decode()
        except UnicodeDecodeError:
            raise WrongBody(f"`{name}` must be UTF-8.") from None


def allow_body(request: HTTPServerRequest, most_bytes: int) -> None:
    """Take a body of this length and none longer."""
    # Of the interface only HTTP/1 has it, and there is no other here.
    request.connection.set_max_body_size(most_bytes)  # type: ignore[union-attr]


def refusal(error: KqiError) -> dict[str, object]:
    """Return an error as the faces tell it."""
    said: dict[str, object] = {"error": error.code, "message": error.message}
    if error.hint:
        said["hint"] = error.hint
    if isinstance(error, Refusal):
        said |= error.more
    if isinstance(error, Incomplete):
        said |= {**error.values, "cut": error.cut}
    return said
