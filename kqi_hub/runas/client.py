"""Ask the privileged helper for something, over its socket or through sudo."""

import asyncio
import json
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kqi_hub.domain.errors import DoorBroken, DoorRefused, DoorUnreachable
from kqi_hub.domain.phrase import Phrase
from kqi_hub.domain.ports import DoorAnswer
from kqi_hub.i18n import N_

REQUEST_LIMIT_BYTES = 2 * 1024 * 1024
# Twice the helper's own limit of output, should all of it be control characters.
ANSWER_LIMIT_BYTES = 16 * 1024 * 1024
_BIG_BYTES = 64 * 1024  # from here on JSON is read and written off the loop
_CHUNK_BYTES = 64 * 1024
_CROWDED_PAUSE_S = 0.05
# Exit codes of sudo and the interpreter when the helper never ran, and of the helper
# when its set-up stopped it before it read the request.
_NOTHING_HAPPENED = frozenset({1, 2, 64, 78})
_SUDO_ENVIRONMENT = {"LC_ALL": "C", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
_ASK_DOCTOR = N_("Nothing happened. Run `kqi-hub doctor` to see what is wrong.")
_LOOK_FIRST = N_("It may have happened: look before you ask again.")


class SocketDoor:
    """The door of a helper that runs as a daemon: one connection for each call."""

    def __init__(self, path: Path | str, timeout_s: float = 60.0) -> None:
        self._path = str(path)
        self._timeout_s = timeout_s

    async def run(
        self, verb: str, person: str, arguments: Mapping[str, object]
    ) -> DoorAnswer:
        """Ask for one verb; a cancelled call that waits in the queue never begins."""
        request = await _encode(verb, person, arguments)
        deadline = asyncio.get_running_loop().time() + self._timeout_s
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.setblocking(False)
            await self._send(connection, request, deadline)
            try:
                async with asyncio.timeout_at(deadline):
                    answer = await _receive(connection)
            except TimeoutError as error:
                raise _too_late(self._path, self._timeout_s, verb, person) from error
        return await _decode(answer, self._path)

    async def _send(
        self, connection: socket.socket, request: bytes, deadline: float
    ) -> None:
        """Send the request; the helper acts on a whole one only."""
        try:
            async with asyncio.timeout_at(deadline):
                await self._connect(connection)
                await asyncio.get_running_loop().sock_sendall(connection, request)
        except OSError as error:
            if refusal := _what_came(connection):
                await _decode(refusal, self._path)
            busy = Phrase("busy for {limit} s", limit=f"{self._timeout_s:g}")
            raise DoorUnreachable(
                "The helper behind {door} cannot be reached: {reason}.",
                _ASK_DOCTOR,
                door=self._path,
                reason=error.strerror or busy,
            ) from error

    async def _connect(self, connection: socket.socket) -> None:
        while True:
            try:
                connection.connect(self._path)  # a Unix socket: answers at once
            except BlockingIOError:  # the kernel's queue for the helper is full
                await asyncio.sleep(_CROWDED_PAUSE_S)
            else:
                return


class SudoDoor:
    """The door without a daemon: sudo runs the helper for each call."""

    def __init__(self, argv: Sequence[str], timeout_s: float = 60.0) -> None:
        self._argv = tuple(argv)
        self._timeout_s = timeout_s
        self._calls: set[asyncio.Task[_Ended]] = set()

    async def run(
        self, verb: str, person: str, arguments: Mapping[str, object]
    ) -> DoorAnswer:
        """Ask for one verb; a call that is cancelled or late ends by itself.

        What sudo runs is root's: nobody here could end it.
        """
        request = await _encode(verb, person, arguments)
        call = asyncio.create_task(_run_helper(self._argv, request))
        self._calls.add(call)
        call.add_done_callback(self._forget)
        try:
            async with asyncio.timeout(self._timeout_s):
                ended = await asyncio.shield(call)
        except TimeoutError as error:
            raise _too_late(self._argv[0], self._timeout_s, verb, person) from error
        except OSError as error:
            raise DoorUnreachable(
                "{program} cannot be run: {reason}.",
                _ASK_DOCTOR,
                program=self._argv[0],
                reason=error.strerror,
            ) from error
        if not ended.answer and ended.exit_code in _NOTHING_HAPPENED:
            raise DoorUnreachable(
                "{program} did not run the helper: {reason}.",
                _ASK_DOCTOR,
                program=self._argv[0],
                reason=ended.last_words,
            )
        return await _decode(ended.answer, self._argv[0])

    def _forget(self, call: "asyncio.Task[_Ended]") -> None:
        self._calls.discard(call)
        if not call.cancelled():
            call.exception()  # of an abandoned call nobody else wants to know it


@dataclass(frozen=True, slots=True)
class _Ended:
    """What a helper under sudo left."""

    exit_code: int
    answer: bytes
    complaint: bytes

    @property
    def last_words(self) -> str | Phrase:
        lines = self.complaint.decode(errors="replace").split("\n")
        said = [line.strip() for line in lines if line.strip()]
        exit_code = Phrase("exit code {code}", code=self.exit_code)
        return said[-1][:300] if said else exit_code


async def _run_helper(argv: Sequence[str], request: bytes) -> _Ended:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *argv,
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        env=_SUDO_ENVIRONMENT,
        start_new_session=True,  # Ctrl-C in the portal's terminal is not for it
    )
    answer, complaint, _ = await asyncio.gather(
        _read(process.stdout), _read(process.stderr), _feed(process.stdin, request)
    )
    return _Ended(await process.wait(), answer, complaint)


async def _read(stream: asyncio.StreamReader | None) -> bytes:
    """Read to the end and keep what the limit allows."""
    kept = bytearray()
    while stream is not None and (chunk := await stream.read(_CHUNK_BYTES)):
        kept += chunk[: ANSWER_LIMIT_BYTES + 1 - len(kept)]
    return bytes(kept)


async def _feed(stream: asyncio.StreamWriter | None, request: bytes) -> None:
    if stream is None:
        return
    try:
        stream.write(request)
        await stream.drain()
    except ConnectionError:
        return  # it ended without reading: the exit code says why
    finally:
        stream.close()


async def _receive(connection: socket.socket) -> bytes:
    """Read until the helper closes the connection."""
    loop, kept = asyncio.get_running_loop(), bytearray()
    while len(kept) <= ANSWER_LIMIT_BYTES:
        try:
            chunk = await loop.sock_recv(connection, _CHUNK_BYTES)
        except ConnectionError:  # it closed without having read all that we sent
            break
        if not chunk:
            break
        kept += chunk
    return bytes(kept)


def _what_came(connection: socket.socket) -> bytes:
    """Return what a helper said that closed before it had the whole request."""
    try:
        return connection.recv(_CHUNK_BYTES)
    except OSError:
        return b""


async def _encode(verb: str, person: str, arguments: Mapping[str, object]) -> bytes:
    size = sum(len(value) for value in arguments.values() if isinstance(value, str))
    if size > _BIG_BYTES:
        return await asyncio.to_thread(encode_request, verb, person, arguments)
    return encode_request(verb, person, arguments)


def encode_request(verb: str, person: str, arguments: Mapping[str, object]) -> bytes:
    """Return the line to send, or refuse what the helper would not even read."""
    request = {"verb": verb, "person": person, "arguments": dict(arguments)}
    # Half characters pass here: the helper refuses them like everything else.
    line = json.dumps(request, ensure_ascii=False).encode(errors="surrogatepass")
    if len(line) >= REQUEST_LIMIT_BYTES:
        raise DoorRefused(
            "The request ({verb} for {person}) is {size} bytes long; the helper takes "
            "{limit}.",
            "Make the script shorter.",
            verb=verb,
            person=person,
            size=len(line),
            limit=REQUEST_LIMIT_BYTES,
        )
    return line + b"\n"


def _too_late(door: str, limit_s: float, verb: str, person: str) -> DoorBroken:
    return DoorBroken(
        "The helper behind {door} did not answer within {limit} s "
        "({verb} for {person}).",
        _LOOK_FIRST,
        door=door,
        limit=f"{limit_s:g}",
        verb=verb,
        person=person,
    )


async def _decode(answer: bytes, door: str) -> DoorAnswer:
    if len(answer) > _BIG_BYTES:
        return await asyncio.to_thread(decode_answer, answer, door)
    return decode_answer(answer, door)


def decode_answer(answer: bytes, door: str) -> DoorAnswer:
    """Read the helper's line; `door` names it in errors."""
    if len(answer) > ANSWER_LIMIT_BYTES:
        raise DoorBroken(
            "The helper behind {door} answered without end.", _LOOK_FIRST, door=door
        )
    if not answer.endswith(b"\n"):
        raise DoorBroken(
            "The helper behind {door} was cut off before its answer.",
            _LOOK_FIRST,
            door=door,
        )
    try:
        fields = json.loads(answer)
        if fields["ok"] is True:
            return _program_answer(fields)
        message = str(fields["message"])
    except (ValueError, TypeError, KeyError) as error:
        raise DoorBroken(
            "The helper behind {door} answered what is no answer.",
            _LOOK_FIRST,
            door=door,
        ) from error
    raise DoorRefused(
        "The helper behind {door} refused: {reason}.",
        "Nothing happened.",
        door=door,
        reason=message,
    )


def _program_answer(fields: Mapping[str, Any]) -> DoorAnswer:
    wanted = {"exit_code": int, "stdout": str, "stderr": str}
    wanted |= {"timed_out": bool, "truncated": bool}
    if any(type(fields[key]) is not kind for key, kind in wanted.items()):
        raise TypeError("a field of the answer has the wrong type")
    return DoorAnswer(**{key: fields[key] for key in wanted})
