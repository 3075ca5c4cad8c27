"""The one Tornado handler: find the route, ask who it is, check, call, answer."""

import logging
import uuid
from collections.abc import Mapping
from typing import Any

from jinja2 import TemplateError
from jupyterhub.services.auth import HubOAuthenticated
from tornado.web import HTTPError, RequestHandler, stream_request_body

from handlers import replies
from handlers.access import Who
from handlers.ask import Answer, Stream
from handlers.checking import Sent
from handlers.failures import Broken, NotLoggedIn, TooLarge, WrongMethod
from handlers.live import send_events
from handlers.portal import SETTING, Portal
from handlers.route import Route, Spec
from handlers.terms_gate import led_to_terms
from handlers.visit import (
    UserModel,
    Visit,
    hub_user,
    identify,
    texts_for,
)
from kqi_hub.domain.errors import InvalidInput, KqiError, NotFound, TooManyAttempts
from kqi_hub.face.headers import personal_headers
from kqi_hub.face.peer import asker_address

log = logging.getLogger(__name__)


@stream_request_body
class PortalHandler(HubOAuthenticated, RequestHandler):
    """Answer the routes of one address."""

    SUPPORTED_METHODS = (*RequestHandler.SUPPORTED_METHODS, "TRACE")

    def initialize(self, routes: Mapping[str, Route] | None = None) -> None:
        """Take the routes of this address, by method."""
        self.portal: Portal = self.settings[SETTING]
        self.hub_auth = self.portal.hub_auth
        self.routes = routes or {}
        self.user_model: UserModel | None = None
        method = self.request.method or ""
        route = self.routes.get("GET" if method == "HEAD" else method)
        texts = texts_for(self, self.portal, None)
        address = asker_address(self.request, self.portal.deps.site.proxies)
        self.visit = Visit(self.portal, self.request_id, address, texts, route)
        self._body_limit = (route.spec if route else Spec()).body_limit
        self._chunks: list[bytes] = []
        self._is_counted = False

    def set_default_headers(self) -> None:
        """Protect every answer, errors too, and number it."""
        # Tornado calls this before `initialize`, and again when an error starts over.
        self.request_id: str = getattr(self, "request_id", None) or str(uuid.uuid4())
        hub_host = self.settings[SETTING].hub_auth.hub_host
        for name, value in personal_headers(hub_host).items():
            self.set_header(name, value)
        self.set_header("X-Request-Id", self.request_id)
        self.clear_header("Server")

    def compute_etag(self) -> None:
        """Send none: nothing of ours is kept."""

    def get_current_user(self) -> UserModel | None:
        """Return what is known by now; the hub is asked elsewhere, and awaited."""
        return self.user_model

    def prepare(self) -> None:
        """Count the request, and refuse a body that is too large before it is read."""
        self.portal.busy.begin()
        self._is_counted = True
        length = self.request.headers.get("Content-Length", "0")
        if length.isdigit() and int(length) > self._body_limit:
            self.fail(TooLarge(self._body_limit))

    def data_received(self, chunk: bytes) -> None:
        """Collect the body, as far as the route takes it."""
        self._chunks.append(chunk)
        if not self._finished and sum(map(len, self._chunks)) > self._body_limit:
            self.fail(TooLarge(self._body_limit))

    def on_finish(self) -> None:
        """Count the request out."""
        if self._is_counted:
            self.portal.busy.end()
            self._is_counted = False

    async def serve(self, **path: str) -> None:
        """Answer, whatever the method."""
        if self._finished:
            return
        try:
            answer = await self._answer(path)
            if isinstance(answer, Stream):
                await self._stream(answer)
            else:
                await replies.send(self, self.visit, answer)
        except KqiError as error:
            self.fail(error)

    get = head = post = put = patch = delete = options = trace = serve

    async def _stream(self, answer: Stream) -> None:
        visitor = self.visit.visitor
        if visitor is None:
            raise NotLoggedIn
        live, person = self.portal.deps.live, visitor.standing.person
        await send_events(self, live, person, answer.subjects, answer.tenants)

    async def _answer(self, path: Mapping[str, str]) -> Answer:
        route = self.visit.route
        sent = self.visit.sent = Sent.read(self.request, b"".join(self._chunks))
        if route is None or route.spec.who is not Who.ANYBODY:
            self.user_model = await hub_user(self, self.hub_auth)
            if self.user_model is not None:
                on_page = route is not None and route.is_page
                tenant = path.get("tenant", sent.tenant if on_page else None)
                await identify(self, self.visit, self.user_model, tenant)
        if route is None:
            raise self._no_route()
        wanted = (self.request.uri or "").removeprefix(self.portal.prefix)
        elsewhere = await led_to_terms(self.visit, route, wanted)
        if elsewhere is not None:
            return elsewhere
        answer: Answer = await route.call(self.visit.ask(route, path, sent))
        return answer

    def _no_route(self) -> KqiError:
        if self.routes:
            return WrongMethod(str(self.request.method), self.routes)
        return NotFound("There is nothing at this address.", "Check it, or go back.")

    def fail(self, error: KqiError) -> None:
        """Answer with an error, or with the way to log in."""
        if isinstance(error, WrongMethod):
            self.set_header("Allow", error.allowed)
        if isinstance(error, TooManyAttempts):
            self.set_header("Retry-After", str(error.wait_s))
        if error.status >= 500:
            log.error("%s %s", self.request_id, error, exc_info=error.__cause__)
        replies.send_error(self, self.visit, error)

    def write_error(self, status_code: int, **_: Any) -> None:
        """Put Tornado's own errors, and our bugs, into the form of all others."""
        if status_code in {404, 405}:
            self.fail(self._no_route())
        elif status_code < 500:
            self.fail(
                InvalidInput("This request cannot be read.", "Check what was sent.")
            )
        else:
            self._send_broken()

    def _send_broken(self) -> None:
        try:
            replies.send_error(self, self.visit, Broken())
        except TemplateError:
            # The page of errors itself is at fault: plain words, and the number.
            log.exception("%s the page of errors is broken", self.request_id)
            self.set_header("Content-Type", "text/plain; charset=utf-8")
            self.finish(f"{Broken().message}\n{self.request_id}\n")

    def log_exception(self, *exc_info: Any) -> None:
        """Log a bug with the number that the person is shown."""
        if isinstance(exc_info[1], HTTPError):
            log.info("%s %s", self.request_id, exc_info[1])
        else:
            log.error("%s %s", self.request_id, exc_info[1], exc_info=exc_info)
