"""What a run of the person's has left in the scratch folder."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from kqi_hub.agent.base import OwnerHandler
from kqi_hub.agent.folder import Listing, listing
from kqi_hub.agent.logfile import log_path, read_piece
from kqi_hub.agent.logs import shown_job

_WORKSPACE = "workspace"


class Run(OwnerHandler):
    """GET api/run?job=12: its log and what lies in the workspace."""

    async def get(self) -> None:
        """List, without opening or following anything."""
        self.answer(await self.on_disk(_run, self.agent.told.folder, self.job()))


def _run(root: Path, job: str) -> dict[str, Any]:
    found = _listing(root, _WORKSPACE)
    return {
        "job": shown_job(job),
        "log": _log(root, job),
        "folders": [_folder(_WORKSPACE, found)],
    }


def _log(root: Path, job: str) -> dict[str, Any] | None:
    try:
        piece = read_piece(root, job, 0, 0)
    except FileNotFoundError:
        return None
    path = "/".join(log_path(job))
    return {"path": path, "size": piece.size, "changed_at": piece.changed_at}


def _listing(root: Path, name: str) -> Listing:
    try:
        return listing(root, name)
    except FileNotFoundError:
        return Listing((), 0)


def _folder(path: str, found: Listing) -> dict[str, Any]:
    entries = [asdict(entry) for entry in found.entries]
    return {"path": path, "entries": entries, "total": found.total}
