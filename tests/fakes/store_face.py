"""The store's HTTP face in memory, with faults that the real one has by chance."""

import hashlib
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

import httpx2

# What a fault does: raises, answers in the store's place, or returns None (no fault).
Fault = Callable[[httpx2.Request], httpx2.Response | None]


@dataclass
class FakeStoreFace:
    """Take one upload's files; `faults` are met by the next requests, one each."""

    ticket: str = "good"
    received: dict[str, bytearray] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    most_bytes: int = 2**40
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        what = urlsplit(str(request.url)).path.rsplit("/", 1)[-1]
        with self.lock:
            self.asked.append(what)
            fault = self.faults.pop(0) if self.faults else None
        if fault is not None:
            answer = fault(request)
            if answer is not None:
                return answer
        if request.headers.get("Authorization") != f"Bearer {self.ticket}":
            return said(403, error="bad-ticket", message="Too old.")
        body = request.read()
        with self.lock:
            return self.answer(what, request, body)

    def answer(
        self, what: str, request: httpx2.Request, body: bytes
    ) -> httpx2.Response:
        if what == "known":
            return self.known(json.loads(body)["files"])
        if what == "pack":
            return self.pack(body)
        asked = {
            name: value[0]
            for name, value in parse_qs(
                request.url.query.decode(), keep_blank_values=True
            ).items()
        }
        path, size, offset = asked["path"], int(asked["size"]), int(asked["offset"])
        return self.part(path, size, offset, body)

    def known(self, files: list[dict[str, object]]) -> httpx2.Response:
        found = [
            {"path": path, "offset": len(self.received[path]), "done": self.whole(path)}
            for path in (str(one["path"]) for one in files)
            if path in self.received
        ]
        return said(200, known=found)

    def pack(self, body: bytes) -> httpx2.Response:
        taken = at = 0
        while at < len(body):
            length = int.from_bytes(body[at : at + 4], "big")
            header = json.loads(body[at + 4 : at + 4 + length])
            at += 4 + length
            content = body[at : at + header["size"]]
            at += header["size"]
            if len(content) < header["size"]:
                break
            if self.used() + len(content) > self.most_bytes:
                return said(507, error="disk-full", message="There is no room.")
            self.received[header["path"]] = bytearray(content)
            self.sizes[header["path"]] = header["size"]
            taken += 1
        return said(200, taken=taken, bytes=at)

    def part(self, path: str, size: int, offset: int, body: bytes) -> httpx2.Response:
        kept = self.received.setdefault(path, bytearray())
        if self.sizes.setdefault(path, size) != size:
            return said(409, error="size", message="Another size than before.")
        if offset != len(kept):
            return said(409, error="offset", message="Not there.", offset=len(kept))
        if self.used() + len(body) > self.most_bytes:
            return said(507, error="disk-full", message="There is no room.")
        kept += body
        answer = {"path": path, "offset": len(kept), "done": self.whole(path)}
        if self.whole(path):
            answer["sha256"] = hashlib.sha256(kept).hexdigest()
        return said(200, **answer)

    def whole(self, path: str) -> bool:
        return len(self.received[path]) == self.sizes[path]

    def used(self) -> int:
        return sum(map(len, self.received.values()))

    def contents(self) -> dict[str, bytes]:
        return {path: bytes(kept) for path, kept in self.received.items()}


def said(status: int, **document: object) -> httpx2.Response:
    return httpx2.Response(status, json=document)


def cut(request: httpx2.Request) -> None:
    """Lose the connection before anything arrives."""
    raise httpx2.ConnectError("cut")


def lost_answer(store: FakeStoreFace) -> Fault:
    """Take what is sent, and lose the connection before the answer."""

    def fault(request: httpx2.Request) -> httpx2.Response | None:
        store.faults.insert(0, lambda _: None)
        store(request)
        raise httpx2.ReadError("cut")

    return fault


def cut_after(store: FakeStoreFace, path: str, size: int, most: int) -> Fault:
    """Keep the first bytes of a part of a file, and lose the connection then."""

    def fault(request: httpx2.Request) -> httpx2.Response | None:
        body = request.read()
        with store.lock:
            store.sizes[path] = size
            store.received.setdefault(path, bytearray()).extend(body[:most])
        raise httpx2.WriteError("cut")

    return fault


def answering(status: int, text: str = "<p>nobody is there") -> Fault:
    """Answer as a proxy does whose target is away."""
    return lambda request: httpx2.Response(status, text=text)
