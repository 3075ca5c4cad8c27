"""Routes that stream what they find: archives, and how much a folder holds."""

import asyncio
import json
from contextlib import suppress
from typing import Any, Final
from urllib.parse import parse_qs

from tornado.iostream import StreamClosedError

from kqi_hub.agent.errors import Problem
from kqi_hub.agent.files.archives import FORMATS, archive, require_all
from kqi_hub.agent.files.changing import MOST_PATHS
from kqi_hub.agent.files.counting_use import Use, use_of
from kqi_hub.agent.files.handler import FileHandler, fields_of
from kqi_hub.agent.files.places import SCRATCH, Place
from kqi_hub.agent.files.ranges import disposition

_PIECE_BYTES: Final = 256 * 1024
_TYPES: Final = {"zip": "application/zip", "tar": "application/x-tar"}
_PROGRESS_S: Final = 0.5


class Archive(FileHandler):
    """api/files/archive: files and folders as one; GET, or POST for many."""

    async def get(self) -> None:
        """Send it."""
        await self._send(self.request.query_arguments)

    async def post(self) -> None:
        """Send what a form's fields or a JSON body name."""
        await self._send(self._fields())

    async def _send(self, fields: dict[str, list[bytes]]) -> None:
        places, form = self._places(fields), self._form(fields)
        await self.work(require_all, places)
        name = places[0].names[-1] if len(places) == 1 and places[0].names else "files"
        self.set_header("Content-Type", _TYPES[form])
        self.set_header("Content-Disposition", disposition(f"{name}.{form}"))
        pieces = archive(places, form, self.leaving)
        with self.agent.use.held(), suppress(StreamClosedError):
            try:
                while piece := await self.work(_gathered, pieces):
                    self.write(piece)
                    await self.flush_soon()
            except Problem:
                # The reader has a part of it already: it must not be taken for whole.
                self.break_off()
            finally:
                # A step that hangs on a dead disk holds it longer than we wait.
                with suppress(ValueError):
                    await self.work(pieces.close)

    def _fields(self) -> dict[str, list[bytes]]:
        body = self.request.body
        kind = self.request.headers.get("Content-Type", "")
        if not kind.startswith("application/json"):
            found = parse_qs(
                body, keep_blank_values=True, max_num_fields=MOST_PATHS + 9
            )
            return {name.decode("latin-1"): values for name, values in found.items()}
        try:
            said = json.loads(body)
            return {
                "root": [str(said.get("root", SCRATCH)).encode()],
                "format": [str(said.get("format", FORMATS[0])).encode()],
                "path": [str(one).encode() for one in said["paths"]],
            }
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Problem(
                400, "invalid-input", "The body must say `paths`, a list of texts."
            ) from None

    def _places(self, fields: dict[str, list[bytes]]) -> list[Place]:
        try:
            root = fields.get("root", [SCRATCH.encode()])[0].decode()
            paths = [one.decode() for one in fields.get("path", [])]
        except UnicodeDecodeError:
            raise Problem(400, "invalid-input", "Paths must be UTF-8.") from None
        if len(paths) > MOST_PATHS:
            raise Problem(
                413, "too-many", f"At most {MOST_PATHS} paths: take their folder."
            )
        return [self.workers.roots.place(root, path) for path in paths]

    def _form(self, fields: dict[str, list[bytes]]) -> str:
        form = fields.get("format", [FORMATS[0].encode()])[0].decode(errors="replace")
        if form not in FORMATS:
            raise Problem(400, "invalid-input", "`format` must be zip or tar.")
        return form


def _gathered(pieces: Any) -> bytes:
    """Return enough of an archive to be worth a trip; empty at its end."""
    gathered = bytearray()
    for piece in pieces:
        gathered += piece
        if len(gathered) >= _PIECE_BYTES:
            break
    return bytes(gathered)


class Count(FileHandler):
    """GET api/files/use?root&path: bytes and files below a folder, while one waits."""

    async def get(self) -> None:
        """Answer when it is counted, or as it goes on if a stream is wanted."""
        place = self.place()
        if "text/event-stream" in self.request.headers.get("Accept", ""):
            return await self._stream(place)
        use = await self._counted(place)
        return self.answer(fields_of(place, **use.fields()))

    async def _counted(self, place: Place) -> Use:
        with self.agent.use.held():
            return await self.work_long(use_of, place, self.leaving, _unheard)

    async def _stream(self, place: Place) -> None:
        """Tell how far it is every half second, and at last all of it."""
        self.set_header("Content-Type", "text/event-stream")
        self.set_header("X-Accel-Buffering", "no")
        heard = Heard()
        with self.agent.use.held(), suppress(StreamClosedError):
            counting = asyncio.ensure_future(
                self.work_long(use_of, place, self.leaving, heard.hear)
            )
            try:
                while not (await asyncio.wait({counting}, timeout=_PROGRESS_S))[0]:
                    await self._tell("progress", heard.fields())
                use = await counting
                await self._tell("done", fields_of(place, **use.fields()))
            except Problem as problem:
                said = {"error": problem.code, "message": problem.message}
                await self._tell("failed", said)
            finally:
                self.leaving.leave()

    async def _tell(self, event: str, fields: dict[str, Any]) -> None:
        self.write(f"event: {event}\ndata: {json.dumps(fields)}\n\n")
        await self.flush_soon()


class Heard:
    """The figures of a count that is under way."""

    def __init__(self) -> None:
        self._use = Use()

    def hear(self, use: Use) -> None:
        """Note them; comes from another thread."""
        self._use = use

    def fields(self) -> dict[str, Any]:
        """Return those that only grow."""
        use = self._use
        return {
            "bytes": use.bytes, "on_disk": use.on_disk, "files": use.files,
            "folders": use.folders, "missed": use.missed,
        }  # fmt: skip


def _unheard(use: Use) -> None:
    """Tell nobody."""
