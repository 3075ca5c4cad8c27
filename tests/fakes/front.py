"""One address before several servers, as the proxy is, with a network that can fail.

It speaks just enough HTTP: the first line says where a connection goes, and each
connection is for one request. Whoever is not there answers 503, as JupyterHub's proxy
says it.
"""

import asyncio
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

_HEAD_BYTES: Final = 64 * 1024
_AWAY: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/html\r\n"
    b"Content-Length: 4\r\nConnection: close\r\n\r\naway"
)
Answer = Callable[[str], str | None]


@dataclass
class Front:
    """Where requests go by their path: the longest beginning wins.

    `delay_s` is waited before each request below `slow`, `bytes_per_s` is how quickly
    bodies are taken there.
    """

    ports: Mapping[str, int]
    leads: Answer = lambda path: None
    slow: str = "/nowhere"
    delay_s: float = 0.0
    bytes_per_s: float = 0.0
    asked: list[str] = field(default_factory=list)
    port: int = 0
    _open: dict[asyncio.StreamWriter, str] = field(default_factory=dict)
    _loop: asyncio.AbstractEventLoop | None = None

    async def start(self) -> asyncio.Server:
        """Listen on a free port."""
        self._loop = asyncio.get_running_loop()
        server = await asyncio.start_server(
            self._serve, "127.0.0.1", 0, limit=_HEAD_BYTES
        )
        self.port = server.sockets[0].getsockname()[1]
        return server

    def cut(self, beginning: str) -> None:
        """Break every connection below a path, as a network does: without a word."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._cut, beginning)

    def _cut(self, beginning: str) -> None:
        for writer, path in list(self._open.items()):
            if path.startswith(beginning):
                writer.transport.abort()

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            method, path, _ = head.split(" ", 2)
            self.asked.append(f"{method} {path}")
            self._open[writer] = path
            if path.startswith(self.slow):
                await asyncio.sleep(self.delay_s)
            await self._lead(path, head, reader, writer)
        self._open.pop(writer, None)
        writer.close()

    async def _lead(
        self,
        path: str,
        head: str,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        target = self.leads(path)
        if target is not None:
            writer.write(
                f"HTTP/1.1 302 Found\r\nLocation: {target}\r\nContent-Length: 0\r\n"
                "Connection: close\r\n\r\n".encode()
            )
            return await writer.drain()
        best = max((one for one in self.ports if path.startswith(one)), key=len)
        try:
            there = await asyncio.open_connection("127.0.0.1", self.ports[best])
        except OSError:
            writer.write(_AWAY)
            return await writer.drain()
        once = re.sub(r"(?im)^connection:.*\r\n", "", head)
        there[1].write(once[:-2].encode("latin-1") + b"Connection: close\r\n\r\n")
        sending = asyncio.create_task(self._pipe(path, reader, there[1]))
        try:
            await self._pipe("", there[0], writer)
        finally:
            sending.cancel()
            there[1].close()
        return None

    async def _pipe(
        self, path: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while piece := await reader.read(64 * 1024):
            if self.bytes_per_s and path.startswith(self.slow):
                await asyncio.sleep(len(piece) / self.bytes_per_s)
            writer.write(piece)
            await writer.drain()


@contextmanager
def fronting(front: Front) -> Iterator[Front]:
    """Serve on a thread, for a browser that is driven without a loop."""
    started = threading.Event()
    over = asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve() -> None:
        server = await front.start()
        loops.append(asyncio.get_running_loop())
        started.set()
        await over.wait()
        server.close()
        front._cut("/")
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    if not started.wait(20):
        raise TimeoutError("the front did not start")
    try:
        yield front
    finally:
        loops[0].call_soon_threadsafe(over.set)
        thread.join(20)
