"""The spawner of a site that starts nothing on the hub's own machine."""

from jupyterhub.spawner import Spawner
from tornado import web


class ClosedSpawner(Spawner):
    """Refuse to start anything: no process of a person ever runs on the hub's host."""

    async def start(self) -> None:
        """Refuse, and say where notebooks are started."""
        raise web.HTTPError(403, "Start notebooks from the portal's pages.")

    async def stop(self, now: bool = False) -> None:
        """Do nothing: nothing was started."""

    async def poll(self) -> int:
        """Say that nothing runs."""
        return 0
