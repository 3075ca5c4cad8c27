"""How a run of the person's stands, as its own folder tells it."""

from pathlib import Path
from typing import Any

from kqi_hub.agent.base import OwnerHandler
from kqi_hub.agent.errors import Problem
from kqi_hub.agent.inside.run_folder import (
    RunPlace,
    announced_ports,
    document,
    run_place,
)


class RunHandler(OwnerHandler):
    """A handler for `api/runs/KIND/ID/…`."""

    def place(self, kind: str, number: str) -> RunPlace:
        """Return the run that is asked for; Problem 404 for what is no run."""
        found = run_place(kind, number)
        if found is None:
            raise Problem(404, "no-run", "There is no run of that kind and number.")
        return found


class RunStateHandler(RunHandler):
    """GET api/runs/KIND/ID/state: what its runner has noted."""

    async def get(self, kind: str, number: str) -> None:
        """Answer; what is not there (yet) is null."""
        place = self.place(kind, number)
        self.answer(await self.on_disk(_state, self.agent.told.folder, place))


def _state(root: Path, place: RunPlace) -> dict[str, Any]:
    return {
        "kind": place.kind,
        "id": place.id,
        "folder": str(root.joinpath(*place.names)),
        "state": document(root, place, "state.json"),
        "result": document(root, place, "result.json"),
        "ports": announced_ports(root, place),
    }
