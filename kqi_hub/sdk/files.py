"""Files on scratch and in tenants' stores; one's own agent shows and changes them."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Final

from kqi_hub.sdk.agent_calls import AgentCalls, AgentRefused
from kqi_hub.sdk.file_models import (
    FileEntry,
    FileRoot,
    FileStat,
    FileText,
    FileUse,
    FileWork,
    Moved,
)
from kqi_hub.sdk.file_names import query
from kqi_hub.sdk.file_transfer import FileTransfer

SCRATCH: Final = "scratch"
_PAGE: Final = 1000
_LOOK_S: Final = 0.3


class FileCalls(FileTransfer, AgentCalls):
    """The part of `Client` for files; paths are as the agent writes them."""

    def file_roots(self) -> tuple[FileRoot, ...]:
        """Return where paths may begin, one's own folder first."""
        said = self._agent_json("GET", "files/roots")
        return tuple(FileRoot.read(one) for one in said["roots"])

    def files(
        self,
        path: str,
        root: str = SCRATCH,
        *,
        sort: str = "name",
        descending: bool = False,
        match: str = "",
        hidden: bool = True,
    ) -> Iterator[FileEntry]:
        """Yield what is in a folder, folders first; asks page by page."""
        after: str | None = None
        while True:
            asked = query(
                root=root, path=path, sort=sort, order="down" if descending else "up",
                filter=match or None, hidden=int(hidden), limit=_PAGE, after=after,
            )  # fmt: skip
            page = self._agent_json("GET", f"files/list?{asked}")
            yield from (FileEntry.read(one) for one in page["entries"])
            after = page["next"]
            if after is None:
                return

    def file_stat(self, path: str, root: str = SCRATCH) -> FileStat:
        """Return what lies at a place."""
        asked = query(root=root, path=path)
        return FileStat.read(self._agent_json("GET", f"files/stat?{asked}"))

    def file_use(
        self,
        path: str,
        root: str = SCRATCH,
        tell: Callable[[FileUse], None] | None = None,
    ) -> FileUse:
        """Count what is below a folder; `tell` hears how far it is."""
        asked, heard = query(root=root, path=path), {"Accept": "text/event-stream"}
        with self._agent_stream("GET", f"files/use?{asked}", heard) as answer:
            event = ""
            for line in answer.iter_lines():
                name, _, value = line.partition(": ")
                if name == "event":
                    event = value
                elif name == "data" and event == "failed":
                    raise AgentRefused(502, json.loads(value))
                elif name == "data":
                    found = FileUse.read(json.loads(value))
                    if event == "done":
                        return found
                    if tell is not None:
                        tell(found)
        raise AgentRefused(502, {"error": "broken", "message": "The count broke off."})

    def make_folder(
        self, path: str, root: str = SCRATCH, *, parents: bool = False
    ) -> None:
        """Make a folder."""
        asked = {"root": root, "path": path, "parents": parents}
        self._agent_json("POST", "files/folder", asked)

    def rename_file(self, path: str, to: str, root: str = SCRATCH) -> None:
        """Give a file or folder another path; nothing is ever overwritten."""
        asked = {"root": root, "path": path, "to": to}
        self._agent_json("POST", "files/move", asked)

    def move_files(self, paths: Sequence[str], into: str, root: str = SCRATCH) -> Moved:
        """Move several into a folder; some may be refused."""
        asked = {"root": root, "paths": list(paths), "into": into}
        return Moved.read(self._agent_json("POST", "files/move", asked))

    def delete_files(
        self,
        paths: Sequence[str],
        root: str = SCRATCH,
        tell: Callable[[FileWork], None] | None = None,
    ) -> FileWork:
        """Delete files, links, and folders whole; return how it ended."""
        asked = {"root": root, "paths": list(paths)}
        work = FileWork.read(self._agent_json("POST", "files/delete", asked))
        return self._ended(work, tell)

    def offer_files(
        self,
        paths: Sequence[str],
        ticket: str,
        root: str = SCRATCH,
        *,
        base: str = "",
        tell: Callable[[FileWork], None] | None = None,
    ) -> FileWork:
        """Give files to the data store by reference, for an upload with a ticket."""
        asked = {"root": root, "paths": list(paths), "base": base, "ticket": ticket}
        work = FileWork.read(self._agent_json("POST", "files/offer", asked))
        return self._ended(work, tell)

    def file_work(self, work_id: str) -> FileWork:
        """Return how far a work is."""
        return FileWork.read(self._agent_json("GET", f"files/work/{work_id}"))

    def file_text(self, path: str, root: str = SCRATCH) -> FileText:
        """Return a small text whole, to edit it."""
        asked = query(root=root, path=path)
        return FileText.read(self._agent_json("GET", f"files/text?{asked}"))

    def write_file_text(
        self, path: str, text: str, version: str | None, root: str = SCRATCH
    ) -> str:
        """Put a text in place of that version, None: of nothing; return the new one.

        Refused with the code `changed` when somebody else was quicker.
        """
        condition = (
            {"If-None-Match": "*"} if version is None else {"If-Match": f'"{version}"'}
        )
        headers = {**condition, "Content-Type": "text/plain; charset=utf-8"}
        asked, raw = query(root=root, path=path), text.encode()
        with self._agent_stream(
            "PUT", f"files/text?{asked}", headers, lambda: iter([raw])
        ) as answer:
            answer.read()
            return str(answer.json()["version"])

    def _ended(
        self, work: FileWork, tell: Callable[[FileWork], None] | None
    ) -> FileWork:
        """Wait for the end; whoever stops waiting ends the work."""
        try:
            while not work.is_over:
                if tell is not None:
                    tell(work)
                time.sleep(_LOOK_S)
                work = self.file_work(work.id)
        except BaseException:
            with suppress(AgentRefused):
                self._agent_json("POST", f"files/work/{work.id}/cancel")
            raise
        return work
