"""Programs in the person's own running jobs: `proxy/JOB/PORT/…`, as if beside them."""

import asyncio
import re
from typing import Final

from tornado.httputil import HTTPHeaders, parse_response_start_line
from tornado.iostream import IOStream, StreamClosedError, UnsatisfiableReadError
from tornado.web import Finish, stream_request_body

from kqi_hub.agent.base import OwnerHandler
from kqi_hub.agent.errors import Problem
from kqi_hub.agent.inside.headers import inward
from kqi_hub.agent.inside.passing import Answer, Passing, pipe
from kqi_hub.agent.inside.run_folder import announced_ports, place_of_job
from kqi_hub.agent.inside.slurm_jobs import JOB

_PORT: Final = re.compile(r"[1-9][0-9]{0,4}", re.ASCII)
_ADDRESS: Final = re.compile(r"[\x21-\x7e]{1,16384}", re.ASCII)
_LENGTH: Final = re.compile(r"[0-9]{1,15}", re.ASCII)
_LARGEST: Final = 10**15
_CHUNKABLE: Final = frozenset({"POST", "PUT", "PATCH"})
_LONGEST_HEAD: Final = 64 * 1024
_HANDSHAKE_S: Final = 30.0
# What an answer of a program's has unless it says otherwise.
_KEPT: Final = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
}
_WEBSOCKET_HEADERS: Final = ("Sec-WebSocket-Accept", "Sec-WebSocket-Protocol",
                             "Sec-WebSocket-Extensions")  # fmt: skip


@stream_request_body
class Passed(OwnerHandler):
    """Lead a request to a program; who is below says to which."""

    SUPPORTED_METHODS = (
        "GET", "HEAD", "POST", "DELETE", "PATCH", "PUT", "OPTIONS",
    )  # fmt: skip
    _passing: Passing | None = None
    _stream: IOStream | None = None

    async def connection(self) -> IOStream:
        """Return a connection to the program; Problem says why there is none."""
        raise NotImplementedError

    @property
    def prefix(self) -> str:
        """Return the address that stands for the program's own `/`."""
        raise NotImplementedError

    @property
    def is_absolute(self) -> bool:
        """Tell whether the program knows its address and is given it whole."""
        return False

    async def prepare(self) -> None:
        """Let the owner in, connect, and send the head on."""
        await super().prepare()
        self._refuse_elsewhere()
        address = self._address()
        self.agent.use.hold()
        self._is_held = True
        self._stream = await self.connection()
        if self._wants_websocket:
            return
        connection = self.request.connection
        connection.set_max_body_size(_LARGEST)  # type: ignore[union-attr]  # HTTP1's
        self._passing = Passing(self._stream)
        method = self.request.method or "GET"
        await self._passing.begin(method, address, self._headers_on())

    _is_held = False

    async def data_received(self, chunk: bytes) -> None:
        """Send a piece of the body on."""
        if self._passing is not None:
            await self._passing.send(chunk)

    async def get(self, *_: str) -> None:
        """Take the answer, or become a WebSocket."""
        if self._wants_websocket:
            await self._become_websocket()
        else:
            await self._pass()

    async def _pass(self, *_: str) -> None:
        assert self._passing is not None  # noqa: S101 - `prepare` has made it
        answer = Answer(self, self.prefix)
        await self._passing.answered(answer)
        if not answer.is_whole:
            # A neat end would make half an answer look whole.
            self.detach().close()

    head = post = delete = patch = put = options = _pass

    def begin_answer(self, status: int, headers: list[tuple[str, str]]) -> None:
        """Answer as the program does."""
        for name in list(self._headers):
            self.clear_header(name)
        self.set_status(status)
        for name, value in _KEPT.items():
            self.set_header(name, value)
        for name in {name for name, _ in headers}:
            self.clear_header(name)
        for name, value in headers:
            try:
                self.add_header(name, value)
            except ValueError:
                continue  # no header that a browser would take
        self.set_header("X-JupyterHub-Version", self.agent.told.hub.version)

    def compute_etag(self) -> None:
        """Leave tags to the program."""

    def on_finish(self) -> None:
        """Let go of the program."""
        self._let_go()

    def on_connection_close(self) -> None:
        """Let go of the program: nobody waits for it any more."""
        self._let_go()

    def _let_go(self) -> None:
        if self._stream is not None and not self._is_socket:
            self._stream.close()
        if self._is_held:
            self._is_held = False
            self.agent.use.let_go()

    _is_socket = False

    @property
    def _wants_websocket(self) -> bool:
        headers = self.request.headers
        return (
            self.request.method == "GET"
            and headers.get("Upgrade", "").lower() == "websocket"
        )

    def _refuse_elsewhere(self) -> None:
        """Refuse what a page of another site asks with the person's cookie."""
        if "Authorization" in self.request.headers:
            return
        origin = self.request.headers.get("Origin")
        is_visit = origin is None and not self._wants_websocket
        if is_visit or (origin or "").partition("://")[2] == self.request.host:
            return
        raise Problem(403, "other-site", "Another site asked for this.")

    def _address(self) -> str:
        """Return what the program is asked for, as the browser wrote it."""
        uri = self.request.uri or ""
        base = self.prefix.rstrip("/")
        if self.request.path == base:
            query = f"?{self.request.query}" if self.request.query else ""
            self.redirect(f"{self.prefix}{query}")
            raise Finish
        if not _LENGTH.fullmatch(self.request.headers.get("Content-Length", "0")):
            raise Problem(400, "invalid-input", "This is no length of a body.")
        is_body_known = "Transfer-Encoding" not in self.request.headers
        if not is_body_known and self.request.method not in _CHUNKABLE:
            raise Problem(411, "no-length", "This needs `Content-Length`.")
        if not uri.startswith(self.prefix) or not _ADDRESS.fullmatch(uri):
            raise Problem(400, "invalid-input", "This is no address.")
        return uri if self.is_absolute else uri[len(base) :]

    def _headers_on(self) -> HTTPHeaders:
        scheme = "https" if self.agent.told.is_https else "http"
        passed = inward(self.request.headers, self.prefix, scheme)
        if "Transfer-Encoding" in self.request.headers and "Content-Length" in passed:
            del passed["Content-Length"]
        return passed

    async def _become_websocket(self) -> None:
        """Have the program agree, and carry bytes from then on."""
        assert self._stream is not None  # noqa: S101 - `prepare` has made it
        headers = self._headers_on()
        headers["Connection"], headers["Upgrade"] = "Upgrade", "websocket"
        lines = [f"GET {self._address()} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in headers.get_all()]
        try:
            async with asyncio.timeout(_HANDSHAKE_S):
                await self._stream.write("\r\n".join([*lines, "", ""]).encode("latin1"))
                raw = await self._stream.read_until_regex(
                    b"\r?\n\r?\n", max_bytes=_LONGEST_HEAD
                )
        except (StreamClosedError, UnsatisfiableReadError, TimeoutError):
            raise Problem(502, "no-answer", "The program does not answer.") from None
        line, _, rest = raw.decode("latin1").partition("\n")
        code = parse_response_start_line(line.strip()).code
        if code != 101:
            raise Problem(
                code if 400 <= code < 600 else 502, "no-websocket",
                f"The program does not take the WebSocket: it answers {code}.",
            )  # fmt: skip
        await self._carry(self._stream, HTTPHeaders.parse(rest))

    async def _carry(self, program: IOStream, agreed: HTTPHeaders) -> None:
        head = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket",
                "Connection: Upgrade"]  # fmt: skip
        for name in _WEBSOCKET_HEADERS:
            head += [f"{name}: {value}" for value in agreed.get_list(name)]
        browser = self.detach()
        self._is_socket = True
        try:
            with self.agent.use.held():
                await browser.write("\r\n".join([*head, "", ""]).encode("latin1"))
                await pipe(browser, program)
        except StreamClosedError:
            return
        finally:
            program.close()
            self._let_go()


class Port(Passed):
    """proxy/JOB/PORT/…: a port that one of the person's own runs has announced."""

    async def connection(self) -> IOStream:
        """Connect, if the job runs and its run has announced the port."""
        job = await self.agent.inside.jobs.running(self._job)
        place = place_of_job(job.name)
        folder = self.agent.told.folder
        ports: tuple[int, ...] = ()
        if place is not None:
            ports = await self.on_disk(announced_ports, folder, place, job.name)
        if self._port not in ports:
            raise Problem(
                403, "not-announced",
                f"Port {self._port} was not announced when job {job.id} was asked for.",
            )  # fmt: skip
        return await self.agent.inside.bridges.connect(job, {"port": self._port})

    @property
    def prefix(self) -> str:
        """Return `…/proxy/JOB/PORT/`."""
        way = "proxy/absolute" if self.is_absolute else "proxy"
        return f"{self.agent.told.base}{way}/{self._job}/{self._port}/"

    @property
    def _job(self) -> str:
        job = self.path_args[0]
        if not JOB.fullmatch(job):
            raise Problem(404, "no-such-job", "This is no number of a job.")
        return str(job)

    @property
    def _port(self) -> int:
        port = self.path_args[1]
        if not _PORT.fullmatch(port) or int(port) > 65535:
            raise Problem(404, "no-port", "This is no number of a port.")
        return int(port)


class AbsolutePort(Port):
    """proxy/absolute/JOB/PORT/…: for programs that are told their whole address."""

    @property
    def is_absolute(self) -> bool:
        """Tell that the address is given on whole."""
        return True
