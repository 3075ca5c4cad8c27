"""Make data of files on scratch, by reference: no byte travels over the network.

One's own agent opens the files as oneself and hands them to the store, which takes
them as clones where the disk can do that, and as copies where it cannot.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kqi_hub.sdk.data import DataItem
from kqi_hub.sdk.errors import PortalError
from kqi_hub.sdk.file_models import FileWork
from kqi_hub.sdk.file_names import travelling
from kqi_hub.sdk.files import SCRATCH, FileCalls
from kqi_hub.sdk.local_files import Counted, count, top_name
from kqi_hub.sdk.uploads import Upload, UploadCalls


@dataclass(frozen=True, slots=True)
class Taken:
    """A data item of files on scratch; how many were cloned, and how many copied."""

    data: DataItem
    reflinked: int
    copied: int


class NotAllTaken(PortalError):
    """Some files could not be given to the store; nothing shows."""

    exit_code = 5


class ScratchCalls(FileCalls, UploadCalls):
    """The part of `Client` that gives files on scratch to the store."""

    def create_data_from_scratch(
        self,
        tenant: str,
        name: str,
        paths: Sequence[str],
        *,
        begun: Callable[[Upload], None] | None = None,
        tell: Callable[[FileWork], None] | None = None,
        **about: Any,
    ) -> Taken:
        """Make a data item of files and folders on scratch.

        Paths are absolute, or begin at one's own folder there; a folder keeps its
        name, with a slash at its end only what is in it is taken. `about`: memo,
        tags, parents.
        """
        scratch = next(o.absolute for o in self.file_roots() if o.root == SCRATCH)
        inside = [_inside(one, scratch) for one in paths]
        counted = self._counted(inside, scratch)
        upload = self.begin_data(tenant, name, counted, origin="scratch", **about)
        if begun is not None:
            begun(upload)
        works = [self._offer(one, upload, tell) for one in inside]
        made = self.finish_upload(upload.key)
        reflinked = sum(int(work.result.get("reflink", 0)) for work in works)
        return Taken(made, reflinked, made.files - reflinked)

    def _counted(self, paths: Sequence[str], scratch: str) -> Counted:
        """Count here where scratch is mounted, else have the agent count."""
        if Path(scratch).is_dir() and os.access(scratch, os.R_OK | os.X_OK):
            found = count([f"{scratch}/{one}" for one in paths])
            if found.skipped:
                raise NotAllTaken(
                    f"{found.skipped[0]} is no regular file.",
                    "Nothing was taken. Move it away.",
                )
            return found
        uses = [self.file_use(one.rstrip("/")) for one in paths]
        return Counted(sum(u.files for u in uses), sum(u.bytes for u in uses))

    def _offer(
        self, path: str, upload: Upload, tell: Callable[[FileWork], None] | None
    ) -> FileWork:
        bare = path.rstrip("/")
        base, paths = bare.rpartition("/")[0], [bare]
        if not top_name(path):
            base, paths = bare, [f"{bare}/{one.name}" for one in self.files(bare)]
        work = self.offer_files(paths, upload.ticket, base=base, tell=tell)
        if work.state == "done" and not work.missed:
            return work
        said = work.error or (work.misses[0] if work.misses else {})
        where = f"{said['path']}: " if "path" in said else ""
        raise NotAllTaken(
            f"{where}{said.get('message', work.state)}",
            f"Nothing shows, and your files are as they were. Put it right and begin "
            f"again; what was taken: kqi data drop {upload.key}",
        )


def _inside(path: str, scratch: str) -> str:
    """Return a path from one's own folder on scratch on, as the agent writes it."""
    end = "/" if not top_name(path) else ""
    whole = os.path.normpath(os.path.join(scratch, path))  # noqa: PTH118 - as text
    if not whole.startswith(f"{scratch}/"):
        raise PortalError(
            f"{path} is not below your folder on scratch, {scratch}.",
            "Name a file or folder there; files elsewhere are sent: --file.",
        )
    return travelling(whole.removeprefix(f"{scratch}/")) + end
