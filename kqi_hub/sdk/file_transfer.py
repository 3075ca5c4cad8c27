"""Files from and to this machine, through one's own agent; what breaks goes on."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from kqi_hub.sdk.agent_calls import AgentCalls
from kqi_hub.sdk.errors import NotReachable, PortalError
from kqi_hub.sdk.file_models import FileStat
from kqi_hub.sdk.file_names import query, travelling
from kqi_hub.sdk.file_sending import PIECE_BYTES, Patience, Sending, Sent, heard
from kqi_hub.sdk.local_files import LocalFile, Source, walk
from kqi_hub.sdk.tar_stream import Unpacked, unpack

_AT_ONCE: Final = 4


class FileTransfer(AgentCalls):
    """The part of `Client` that moves contents of files."""

    def read_file(
        self, path: str, root: str = "scratch", start: int = 0
    ) -> Iterator[bytes]:
        """Yield the content of a file from an offset on."""
        headers = {"Range": f"bytes={start}-"} if start else {}
        asked = query(root=root, path=path)
        with self._agent_stream("GET", f"files/content?{asked}", headers) as answer:
            yield from answer.iter_bytes(PIECE_BYTES)

    def fetch_file(
        self, path: str, target: Path, root: str = "scratch", got: Sent | None = None
    ) -> FileStat:
        """Copy a file to this machine; goes on where an earlier attempt broke off."""
        asked = query(root=root, path=path)
        about = FileStat.read(self._agent_json("GET", f"files/stat?{asked}"))
        part = target.with_name(f".{target.name[:180]}.{about.version}.kqi-part")
        patience = Patience()
        with part.open("ab") as file:
            heard(got, file.tell())
            while file.tell() < about.size:
                before = file.tell()
                try:
                    self._fetch_rest(asked, about, file, got)
                except NotReachable as error:
                    patience.pause(error, moved=file.tell() > before)
        os.utime(part, (about.changed_at, about.changed_at))
        part.replace(target)
        return about

    def _fetch_rest(
        self, asked: str, about: FileStat, file: Any, got: Sent | None
    ) -> None:
        headers = {"Range": f"bytes={file.tell()}-", "If-Range": f'"{about.version}"'}
        with self._agent_stream("GET", f"files/content?{asked}", headers) as answer:
            if answer.status_code != 206:
                raise PortalError(
                    f"{about.path} was changed while it was fetched.", "Fetch it again."
                )
            for piece in answer.iter_bytes(PIECE_BYTES):
                file.write(piece)
                heard(got, len(piece))

    def fetch_folder(
        self, path: str, target: Path, root: str = "scratch", got: Sent | None = None
    ) -> Unpacked:
        """Copy a folder to this machine, below `target`; links are left out."""
        asked = query(root=root, path=path, format="tar")
        with self._agent_stream("GET", f"files/archive?{asked}", {}) as answer:
            return unpack(answer.iter_bytes(PIECE_BYTES), target, got)

    def fetch_archive(
        self,
        paths: Sequence[str],
        target: Path,
        root: str = "scratch",
        got: Sent | None = None,
    ) -> None:
        """Copy files and folders into one file here: a tar, or what `.zip` says."""
        form = "zip" if target.name.endswith(".zip") else "tar"
        pieces = [query(root=root, format=form), *(query(path=one) for one in paths)]
        part = target.with_name(f".{target.name[:200]}.kqi-part")
        asked = "&".join(pieces)
        with (
            self._agent_stream("GET", f"files/archive?{asked}", {}) as answer,
            part.open("wb") as file,
        ):
            for piece in answer.iter_bytes(PIECE_BYTES):
                file.write(piece)
                heard(got, len(piece))
        part.replace(target)

    def put_files(
        self,
        sources: Sequence[Source],
        into: str,
        root: str = "scratch",
        *,
        exists: str = "refuse",
        sent: Sent | None = None,
        kept: Callable[[LocalFile, str], None] | None = None,
    ) -> int:
        """Copy files and folders of this machine into a folder; return how many.

        `exists` says what becomes of what is there: refuse, overwrite, keep-both.
        """

        def one(file: LocalFile) -> None:
            names = map(travelling, file.path.split("/"))
            path = "/".join([*filter(None, [into.strip("/")]), *names])
            there = self.put_file(
                Path(file.source), path, root, exists=exists, sent=sent
            )
            if kept is not None:
                kept(file, there)

        self._known_way()  # once, not by each thread
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            return sum(1 for _ in _in_parallel(threads, one, walk(sources)))

    def put_file(
        self,
        source: Path,
        path: str,
        root: str = "scratch",
        *,
        exists: str = "refuse",
        sent: Sent | None = None,
    ) -> str:
        """Copy one file of this machine; return the path that it has there."""
        return Sending(self, source, path, root, exists, sent).send()


def _in_parallel(
    threads: ThreadPoolExecutor,
    work: Callable[[LocalFile], None],
    files: Iterator[LocalFile],
) -> Iterator[None]:
    """Do it with each file, a few ahead: a million of them are never in memory."""
    waiting: list[Any] = []
    try:
        for one in files:
            waiting.append(threads.submit(work, one))
            if len(waiting) > _AT_ONCE * 8:
                yield waiting.pop(0).result()
        while waiting:
            yield waiting.pop(0).result()
    finally:
        for one in waiting:
            one.cancel()
