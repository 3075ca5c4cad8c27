"""The hub's addresses about notebooks, in place of JupyterHub's own."""

from typing import Any, Final

from spawners.callbacks import PortCallback, QueuesCallback, SessionCallback
from spawners.hub_pages import HomePage, PendingPage, SpawnPage
from spawners.servers_api import ServerApi

NOTEBOOK_HANDLERS: Final[tuple[tuple[str, Any], ...]] = (
    (r"/home", HomePage),
    (r"/spawn", SpawnPage),
    (r"/spawn/([^/]+)", SpawnPage),
    (r"/spawn/([^/]+)/([^/]+)", SpawnPage),
    (r"/spawn-pending/([^/]+)", PendingPage),
    (r"/spawn-pending/([^/]+)/([^/]+)", PendingPage),
    (r"/api/batchspawner", PortCallback),
    (r"/api/kqi/session", SessionCallback),
    (r"/api/kqi/queues", QueuesCallback),
    (r"/api/users/([^/]+)/server", ServerApi),
    (r"/api/users/([^/]+)/servers/([^/]*)", ServerApi),
)
