"""What every answer of the agent has in common: who may ask, and how it looks."""

import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final, ParamSpec, TypeVar
from urllib.parse import urlencode

from tornado.web import Finish, RequestHandler

from kqi_hub.agent.access import Access, HubSilent
from kqi_hub.agent.conda import Conda, Shelf
from kqi_hub.agent.counting import Counting
from kqi_hub.agent.disk import on_disk
from kqi_hub.agent.errors import Problem
from kqi_hub.agent.files.workers import Workers
from kqi_hub.agent.inside.place import Inside
from kqi_hub.agent.instructions import Instructions
from kqi_hub.agent.logins import Logins
from kqi_hub.agent.tasks import Tasks
from kqi_hub.agent.use import Use

P = ParamSpec("P")
T = TypeVar("T")
COOKIE: Final = "kqi-agent"
LOGIN_COOKIE: Final = "kqi-agent-login"
# A job, or one task of an array: `12_3`.
_JOB: Final = re.compile(r"[1-9][0-9]{0,9}(?:_[0-9]{1,7})?", re.ASCII)
_OFFSET: Final = re.compile(r"-?[0-9]{1,15}", re.ASCII)
_PROOF: Final = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


@dataclass(frozen=True, slots=True)
class Agent:
    """Everything that handlers work with."""

    told: Instructions
    access: Access
    logins: Logins
    use: Use
    disk: ThreadPoolExecutor
    tasks: Tasks
    files: Workers
    inside: Inside
    conda: Conda | None = None
    shelf: Shelf | None = None
    counting: Counting = field(default_factory=Counting)


class Handler(RequestHandler):
    """A handler that anybody reaches."""

    @property
    def agent(self) -> Agent:
        """Return what this process works with."""
        agent: Agent = self.settings["agent"]
        return agent

    def set_default_headers(self) -> None:
        """Give every answer the headers that keep browsers strict."""
        for name, value in _HEADERS.items():
            self.set_header(name, value)
        self.set_header("X-JupyterHub-Version", self.agent.told.hub.version)
        self.clear_header("Server")

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer every error as JSON; what went wrong inside stays in the log."""
        _, error, _ = kwargs.get("exc_info", (None, None, None))
        said: dict[str, object] = {"error": "error", "message": self._reason}
        if isinstance(error, Problem):
            said = {"error": error.code, "message": error.message, **error.more}
        self.answer(said)

    def answer(self, fields: object) -> None:
        """Finish with JSON."""
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps(fields))

    def keep_cookie(self, name: str, value: str, **more: Any) -> None:
        """Set a cookie for this agent's own pages, and for no script."""
        self.set_cookie(
            name, value, path=self.agent.told.base, httponly=True, samesite="Lax",
            secure=self.agent.told.is_https, **more,
        )  # fmt: skip


class OwnerHandler(Handler):
    """A handler for the person whose agent this is, and for nobody else."""

    token: str

    async def prepare(self) -> None:
        """Let the owner in."""
        try:
            await self._identify()
        except HubSilent:
            raise Problem(
                503, "hub-silent", "The hub does not answer. Try again in a moment."
            ) from None
        self.agent.use.touch()

    async def _identify(self) -> None:
        if "Authorization" in self.request.headers:
            self.token = _bearer(self.request.headers["Authorization"])
            if not await self.agent.access.admits(self.token):
                raise Problem(403, "not-yours", "This token does not open this agent.")
            return None
        name = self.get_cookie(COOKIE, "") or ""
        token = self.agent.logins.token(name)
        if token is None or not await self.agent.access.admits(token):
            self.agent.logins.forget(name)
            return self._send_to_login()
        if self.request.headers.get("Sec-Fetch-Site", "none") not in _OUR_SITES:
            raise Problem(403, "other-site", "Another site asked for this.")
        self.token = token
        return None

    def _send_to_login(self) -> None:
        """Send a browser through the hub's login; a program is told what to bring."""
        if not _is_browser(self.request.headers) or self.request.method != "GET":
            raise Problem(
                401, "no-token", "Send a token in the header `Authorization: Bearer`."
            )
        told = self.agent.told
        proof = self.get_cookie(LOGIN_COOKIE, "") or ""
        known = proof if _PROOF.fullmatch(proof) else ""
        target = self.request.uri or told.base
        state, browser = self.agent.logins.begin(target, known)
        self.keep_cookie(LOGIN_COOKIE, browser, max_age=600)
        asked = {
            "client_id": told.hub.client_id,
            "redirect_uri": f"{told.base}oauth_callback",
            "response_type": "code",
            "state": state,
        }
        self.redirect(f"{told.hub.authorize_path}?{urlencode(asked)}")
        raise Finish

    def require_token(self) -> None:
        """Let only a token change something: browsers send cookies unasked."""
        if "Authorization" not in self.request.headers:
            raise Problem(403, "needs-token", "Only a token may change something here.")

    def job(self) -> str:
        """Return the job that is asked for, such as `12`, or `12_3` of an array."""
        return self._argument("job", _JOB, "a job's number", None)

    def offset(self, default: int) -> int:
        """Return the offset that is asked for; a negative one counts from the end."""
        return self.whole_number("from", default)

    def whole_number(self, name: str, default: int) -> int:
        """Return a whole number that is asked for."""
        return int(self._argument(name, _OFFSET, "a whole number", str(default)))

    def line(self, name: str, longest: int) -> str:
        """Return a text that is asked for, on one line and not empty."""
        given = self.request.query_arguments.get(name, [])
        text = given[0].decode(errors="replace") if len(given) == 1 else ""
        if not 0 < len(text) <= longest or "\n" in text:
            raise Problem(
                400, "invalid-input",
                f"`{name}` must be 1 to {longest} characters of one line, once.",
            )  # fmt: skip
        return text

    def _argument(
        self, name: str, form: re.Pattern[str], expected: str, default: str | None
    ) -> str:
        given = self.request.query_arguments.get(name, [])
        if not given and default is not None:
            return default
        text = given[0].decode(errors="replace") if len(given) == 1 else ""
        if not form.fullmatch(text):
            raise Problem(400, "invalid-input", f"`{name}` must be {expected}, once.")
        return text

    async def on_disk(
        self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Do what blocks beside the loop, and give up on a disk that hangs."""
        return await on_disk(self.agent.disk, work, *args, **kwargs)


_OUR_SITES: Final = frozenset({"same-origin", "none"})


def _bearer(header: str) -> str:
    kind, _, token = header.partition(" ")
    return token.strip() if kind.lower() in {"bearer", "token"} else ""


def _is_browser(headers: Any) -> bool:
    accepted = headers.get("Accept", "")
    return (
        "Sec-Fetch-Mode" in headers
        or "text/html" in accepted
        or "text/event-stream" in accepted
    )
