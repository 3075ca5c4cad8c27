"""What the routes of files have in common: what is asked for, threads, who has left."""

import asyncio
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, ParamSpec, TypeVar

from tornado.iostream import StreamClosedError
from tornado.web import Finish

from kqi_hub.agent.base import OwnerHandler
from kqi_hub.agent.disk import disk_problem
from kqi_hub.agent.errors import Problem
from kqi_hub.agent.files.leaving import Leaving, Left
from kqi_hub.agent.files.places import SCRATCH, Place
from kqi_hub.agent.files.workers import Workers

P = ParamSpec("P")
T = TypeVar("T")
# A folder of a million names on a busy file system takes its time.
PATIENCE_S: Final = 120.0
# A reader or sender that does nothing for so long is gone, whatever the network says.
SILENT_S: Final = 900.0
_NUMBER: Final = re.compile(r"-?[0-9]{1,16}", re.ASCII)


class FileHandler(OwnerHandler):
    """A route of files; its work ends when whoever asked leaves."""

    def initialize(self) -> None:
        """Expect a reader who may leave at any moment."""
        self.leaving = Leaving()

    def on_connection_close(self) -> None:
        """Stop when the reader has left."""
        self.leaving.leave()

    @property
    def workers(self) -> Workers:
        """Return the threads and the works of files."""
        return self.agent.files

    def place(self, name: str = "path") -> Place:
        """Return the place that is asked for."""
        return self.workers.roots.place(self.said("root", SCRATCH), self.said(name, ""))

    def said(self, name: str, default: str | None = None) -> str:
        """Return one argument of the query."""
        given = self.request.query_arguments.get(name, [])
        if not given and default is not None:
            return default
        try:
            (raw,) = given
            return raw.decode()
        except ValueError:
            raise Problem(
                400, "invalid-input", f"`{name}` must be there once, as UTF-8."
            ) from None

    def choice(self, name: str, of: tuple[str, ...]) -> str:
        """Return one of some words; the first if none is said."""
        said = self.said(name, of[0])
        if said not in of:
            raise Problem(
                400, "invalid-input", f"`{name}` must be one of {', '.join(of)}."
            )
        return said

    def number(self, name: str, default: int | None, least: int, most: int) -> int:
        """Return a whole number between two others."""
        said = self.said(name, None if default is None else str(default))
        if not _NUMBER.fullmatch(said) or not least <= int(said) <= most:
            raise Problem(
                400, "invalid-input", f"`{name}` must be a number, {least} to {most}."
            )
        return int(said)

    def break_off(self) -> None:
        """Close the connection: what was sent so far must not be taken for whole."""
        connection: Any = self.request.connection
        connection.stream.close()

    async def flush_soon(self) -> None:
        """Send what was written; a reader that takes nothing for long is given up."""
        try:
            async with asyncio.timeout(SILENT_S):
                await self.flush()
        except TimeoutError:
            self.break_off()
            raise StreamClosedError from None

    async def work(self, task: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do what blocks on a thread of the files' own; a full disk is told as such."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await self._on(self.workers.threads, task, *args, **kwargs)
        except TimeoutError:
            self.leaving.leave()
            raise Problem(
                504, "disk-hangs", "The file system does not answer. Try again later."
            ) from None

    async def work_long(
        self, task: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Do what may take minutes, as long as somebody waits for it."""
        return await self._on(self.workers.long, task, *args, **kwargs)

    async def _on(
        self,
        threads: ThreadPoolExecutor,
        task: Callable[P, T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(threads, lambda: task(*args, **kwargs))
        except Left:
            raise Finish from None
        except TimeoutError:  # the kernel's, of a network file system
            raise Problem(
                504, "disk-hangs", "The file system does not answer. Try again later."
            ) from None
        except OSError as error:
            raise disk_problem(error) from error


def fields_of(place: Place, **more: Any) -> dict[str, Any]:
    """Return what every answer about a place begins with."""
    return {"root": place.root.name, "path": place.path, **more}
