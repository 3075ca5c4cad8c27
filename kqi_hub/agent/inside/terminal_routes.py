"""Terminals in the person's own running jobs: opened, looked at, closed."""

import asyncio
import json
from typing import Any, Final

from tornado.iostream import StreamClosedError
from tornado.web import HTTPError
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from kqi_hub.agent.access import HubSilent
from kqi_hub.agent.base import Handler, OwnerHandler
from kqi_hub.agent.errors import Problem
from kqi_hub.agent.inside.run_folder import RunPlace, run_place, running_folder
from kqi_hub.agent.inside.slurm_jobs import JOB
from kqi_hub.agent.inside.steps import run_shell_step, shell_step
from kqi_hub.agent.inside.terminal import Size
from kqi_hub.agent.inside.terminals import Open
from kqi_hub.agent.submitting import plain_environment

_PROTOCOL: Final = "kqi.terminal"
_TICKET: Final = "ticket."
_CHECK_TOKEN_S: Final = 5.0
_MOST_TYPED: Final = 256 * 1024
_WIDEST: Final = 1000
# So much may be on its way to a window that has not said that it has shown it.
_UNSHOWN: Final = 512 * 1024


class TerminalHandler(OwnerHandler):
    """What programs and pages with a token ask of terminals."""

    def told(self) -> dict[str, Any]:
        """Return the JSON object that was sent."""
        try:
            said = json.loads(self.request.body or b"{}")
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict):
            raise Problem(400, "invalid-input", "The body must be a JSON object.")
        return said

    def answer_one(self, found: Open) -> None:
        """Answer with a terminal and a ticket that opens it once."""
        ticket = self.agent.inside.terminals.ticket(found, self.token)
        self.answer({**_shown(found), "ticket": ticket})


class TerminalList(TerminalHandler):
    """api/terminals: GET lists them, POST opens one."""

    async def get(self) -> None:
        """Answer with those that are open."""
        self.require_token()
        found = self.agent.inside.terminals.all()
        self.answer({"terminals": [_shown(one) for one in found]})

    async def post(self) -> None:
        """Run a shell inside a job: where the run's command is, if it is a run's."""
        self.require_token()
        said = self.told()
        job = said.get("job")
        if not isinstance(job, str | int) or not JOB.fullmatch(str(job)):
            raise Problem(400, "invalid-input", "`job` must be a job's number.")
        size = size_of(said)
        inside, place = self.agent.inside, _run_of(said)
        running = await inside.jobs.running(str(job))
        rules, root = inside.jobs.rules, self.agent.told.folder
        command = shell_step(rules, running.id, root)
        if place is not None:
            folder, is_running = await self.on_disk(running_folder, root, place)
            as_shell = run_shell_step if is_running else shell_step
            command = as_shell(rules, running.id, folder)
        surroundings = plain_environment(rules) | {"TERM": "xterm-256color"}
        self.set_status(201)
        self.answer_one(inside.terminals.open(running, command, surroundings, size))


def _run_of(said: dict[str, Any]) -> RunPlace | None:
    run = said.get("run")
    if run is None:
        return None
    kind, _, number = run.partition("/") if isinstance(run, str) else ("", "", "")
    place = run_place(kind, number)
    if place is None:
        raise Problem(400, "invalid-input", "`run` must be such as `training/12`.")
    return place


class OneTerminal(TerminalHandler):
    """api/terminals/ID: POST gives a ticket to look at it again, DELETE closes it."""

    async def post(self, name: str) -> None:
        """Answer with the ticket."""
        self.require_token()
        self.answer_one(self.agent.inside.terminals.one(name))

    async def delete(self, name: str) -> None:
        """Hang up."""
        self.require_token()
        self.agent.inside.terminals.end(name)
        self.set_status(204)
        self.finish()


class Socket(Handler, WebSocketHandler):
    """terminals/ID as a WebSocket: bytes are the terminal's, JSON is about it.

    It is opened by a ticket, or by the token itself; a page must be of this site. The
    window says how many bytes it has shown: `{"shown": 4096}`.
    """

    _token = ""
    _unshown = 0
    _found: Open | None = None
    _task: asyncio.Task[None] | None = None

    async def prepare(self) -> None:
        """Let the owner in."""
        name = self.path_args[0]
        token = self._said_token() or self.agent.inside.terminals.redeem(
            self._offered_ticket(), name
        )
        try:
            if not token or not await self.agent.access.admits(token):
                raise Problem(403, "not-yours", "This does not open the terminal.")
        except HubSilent:
            raise Problem(503, "hub-silent", "The hub does not answer.") from None
        self._token = token
        self._found = self.agent.inside.terminals.one(name)
        self.agent.use.touch()

    def _said_token(self) -> str:
        kind, _, token = self.request.headers.get("Authorization", "").partition(" ")
        return token.strip() if kind.lower() in {"bearer", "token"} else ""

    def _offered_ticket(self) -> str:
        offered = self.request.headers.get("Sec-WebSocket-Protocol", "").split(",")
        words = [word.strip() for word in offered]
        found = [word for word in words if word.startswith(_TICKET)]
        return found[0].removeprefix(_TICKET) if len(found) == 1 else ""

    def check_origin(self, origin: str) -> bool:
        """Demand a page of this site; programs send no origin and have the token."""
        return origin.partition("://")[2] == self.request.host

    async def get(self, *args: Any, **kwargs: Any) -> None:
        """Demand an origin of whoever comes with a ticket: that is a browser."""
        headers = self.request.headers
        if "Authorization" not in headers and "Origin" not in headers:
            raise HTTPError(403)
        await super().get(*args, **kwargs)

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        """Speak ours."""
        return _PROTOCOL if _PROTOCOL in subprotocols else None

    def open(self, *_: str, **__: str) -> None:
        """Show the terminal from now on."""
        self._has_shown = asyncio.Event()
        self._task = asyncio.create_task(self._show())

    async def on_message(self, message: str | bytes) -> None:
        """Take what is typed (bytes), or how large the window is (JSON)."""
        if self._found is None or len(message) > _MOST_TYPED:
            return
        if isinstance(message, bytes):
            self._found.terminal.type(message)
            return
        try:
            self._take(json.loads(message), self._found)
        except (ValueError, TypeError, Problem, RecursionError):
            self.close(1003, "This is nothing that a terminal is told.")

    def _take(self, said: Any, found: Open) -> None:
        if not isinstance(said, dict):
            raise TypeError
        if "shown" not in said:
            found.terminal.resize(size_of(said))
            return
        self._unshown = max(0, self._unshown - int(said["shown"]))
        self._has_shown.set()

    def on_close(self) -> None:
        """Stop showing."""
        if self._task is not None:
            self._task.cancel()

    async def _show(self) -> None:
        found = self._found
        assert found is not None  # noqa: S101 - `prepare` has found it
        watch = asyncio.create_task(self._while_welcome())
        try:
            with self.agent.use.held():
                await found.terminal.show(self._send)
            await self._tell_end(found)
        except asyncio.CancelledError:
            # Another window shows it now, or this one has gone.
            self.close(4001, "It is shown elsewhere.")
            raise
        except (WebSocketClosedError, StreamClosedError):
            return
        finally:
            watch.cancel()

    async def _send(self, data: bytes) -> None:
        if not data:
            return
        while self._unshown > _UNSHOWN:
            self._has_shown.clear()
            await self._has_shown.wait()
        self._unshown += len(data)
        await self.write_message(data, binary=True)

    async def _tell_end(self, found: Open) -> None:
        await self.write_message(json.dumps({"ended": found.terminal.exit_code}))
        self.close(1000, "It has ended.")

    async def _while_welcome(self) -> None:
        """Close it soon after its token has been revoked."""
        while True:
            await asyncio.sleep(_CHECK_TOKEN_S)
            try:
                is_welcome = await self.agent.access.admits(self._token)
            except HubSilent:
                continue  # a hub that restarts ends nobody's work
            if not is_welcome:
                self.close(4003, "This login has ended.")
                return


def size_of(said: dict[str, Any]) -> Size:
    """Return the size that is told; Problem 400 for what is none."""
    numbers = [said.get("columns", 80), said.get("rows", 24)]
    if not all(type(one) is int and 1 < one <= _WIDEST for one in numbers):
        raise Problem(400, "invalid-input", "`columns` and `rows`: from 2 to 1000.")
    return Size(*numbers)


def _shown(found: Open) -> dict[str, object]:
    return {"id": found.id, "job": found.job.id, "name": found.job.name}
