"""The store's HTTP face before a FakeStore, for browsers: contents are real.

A network that breaks is a `cut`: the next requests are ended without an answer.
"""

import asyncio
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from tornado.web import Application, RequestHandler, stream_request_body

from kqi_hub.domain.data import StoredFile
from kqi_hub.domain.errors import KqiError
from kqi_hub.domain.tickets import checked
from tests.fakes.data import TICKET_KEY
from tests.fakes.store import FakeStore


@dataclass
class StoreDoor:
    """What has come, by upload and path; `cuts` requests are broken, `full` refused."""

    store: FakeStore
    parts: dict[tuple[str, str], bytearray] = field(default_factory=dict)
    contents: dict[tuple[str, str], bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    cuts: int = 0
    is_full: bool = False
    # Slow enough for a test to press a button meanwhile.
    pause_s: float = 0.0

    def application(self) -> Application:
        """Return what answers below /services/store/."""
        about = {"door": self}
        return Application([(r"/services/store/uploads/(\w+)(/\w+)?", _Face, about)])

    def take(self, upload: str, path: str, content: bytes) -> None:
        """Keep a whole file."""
        self.contents[upload, path] = content
        digest = hashlib.sha256(content).hexdigest()
        kept = StoredFile(path, len(content), digest)
        self.store.incoming.setdefault(upload, {})[path] = kept


@stream_request_body
class _Face(RequestHandler):
    def initialize(self, door: StoreDoor) -> None:
        self.door = door
        self.body = bytearray()

    def prepare(self) -> None:
        connection: Any = self.request.connection
        connection.set_max_body_size(2**31)

    def data_received(self, chunk: bytes) -> None:
        self.body += chunk

    async def answer(self, key: str, what: str | None = None) -> Any:
        door = self.door
        door.asked.append(f"{self.request.method} {what or ''}")
        if door.cuts:
            door.cuts -= 1
            self._keep_a_part(key, what)
            stream: Any = self.request.connection
            stream.stream.close()
            return None
        await asyncio.sleep(door.pause_s)
        try:
            word = self.request.headers.get("Authorization", "").removeprefix("Bearer ")
            ticket = checked(word, TICKET_KEY, 0.0)
        except KqiError as error:
            return self.say({"error": error.code, "message": error.message}, 403)
        if ticket.upload != key:
            return self.say({"error": "bad-ticket", "message": "not yours"}, 403)
        if door.is_full and self.request.method == "PUT":
            said = {"error": "disk-full", "message": "The store's disk is full."}
            return self.say(said, 507)
        return getattr(self, f"_{(what or '/state')[1:]}")(key)

    get = post = put = answer

    def say(self, said: object, status: int = 200) -> None:
        self.set_status(status)
        self.finish(json.dumps(said))

    def _known(self, key: str) -> None:
        found = []
        for one in json.loads(self.body)["files"]:
            path = one["path"]
            if (key, path) in self.door.contents:
                found.append({"path": path, "offset": one["size"], "done": True})
            elif (key, path) in self.door.parts:
                had = len(self.door.parts[key, path])
                found.append({"path": path, "offset": had, "done": False})
        self.say({"known": found})

    def _pack(self, key: str) -> None:
        at = taken = total = 0
        while at < len(self.body):
            length = int.from_bytes(self.body[at : at + 4], "big")
            header = json.loads(self.body[at + 4 : at + 4 + length])
            at += 4 + length
            content = bytes(self.body[at : at + header["size"]])
            if len(content) < header["size"]:
                break
            at += len(content)
            self.door.take(key, header["path"], content)
            taken, total = taken + 1, total + len(content)
        self.say({"taken": taken, "bytes": total})

    def _file(self, key: str) -> None:
        path, size, offset = self._asked()
        part = self.door.parts.setdefault((key, path), bytearray())
        if offset != len(part):
            said = {"error": "offset", "message": "elsewhere", "offset": len(part)}
            return self.say({**said, "path": path, "done": False}, 409)
        part += self.body
        is_done = len(part) == size
        if is_done:
            self.door.take(key, path, bytes(self.door.parts.pop((key, path))))
        return self.say({"path": path, "offset": offset + len(self.body),
                         "done": is_done})  # fmt: skip

    def _keep_a_part(self, key: str, what: str | None) -> None:
        """Half of what came before the network broke is safe."""
        if what == "/file":
            path, _, offset = self._asked()
            part = self.door.parts.setdefault((key, path), bytearray())
            if offset == len(part):
                part += self.body[: len(self.body) // 2]

    def _asked(self) -> tuple[str, int, int]:
        ask = self.get_query_argument
        return ask("path", strip=False), int(ask("size")), int(ask("offset"))
