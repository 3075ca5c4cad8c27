"""What Jupyter Server loads of us: the idle rule, its routes, the banner."""

import asyncio
import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

from kqi_hub.session.banner import add_banner
from kqi_hub.session.cluster_pages import cluster_routes
from kqi_hub.session.clusters import Clusters
from kqi_hub.session.handlers import routes
from kqi_hub.session.looking import Looker
from kqi_hub.session.proxies import proxy_routes
from kqi_hub.session.tensorboard_pages import board_routes
from kqi_hub.session.tensorboards import TensorBoards
from kqi_hub.session.watch import Watch


class Server(Protocol):
    """What is needed of the server: NotebookServer, without its imports."""

    web_app: Any
    base_url: str
    io_loop: Any
    log: Any
    kernel_manager: Any
    at_end: list[Callable[[], None]]

    def end(self, why: str, seen: Mapping[str, int]) -> None:
        """Stop it, and tell the hub why."""


# Tasks that nobody holds may be collected while they run.
_tasks: set[asyncio.Task[None]] = set()


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": __name__}]


def _load_jupyter_server_extension(app: Server) -> None:
    """Begin to watch the session that the runner told of."""
    order = app.web_app.settings["kqi_session"]
    plain = _for_tools(os.environ)
    # From here on kernels and terminals may be started: they get the person's own
    # variables, which the server was started without.
    os.environ.clear()
    os.environ.update(order["children"])

    def stop(why: str) -> None:
        app.end(why, watch.seen)

    watch = Watch(order, Looker(app).look, stop, app.log)
    app.web_app.add_handlers(".*$", routes(app.base_url, watch))
    _add_tools(app, order, plain)
    add_banner(app.web_app, app.base_url)
    _listen_to_slurm(app, watch)

    async def begin() -> None:
        task = asyncio.ensure_future(watch.run())
        _tasks.add(task)
        task.add_done_callback(_tasks.discard)

    app.io_loop.add_callback(begin)


def _add_tools(app: Server, order: Mapping[str, Any], plain: dict[str, str]) -> None:
    """Add TensorBoard and the groups of engines, which end with the server."""
    jupyter = Path(order["data"]).parent
    memory = jupyter / "tensorboards.json"
    boards = TensorBoards(Path(order["root"]), memory, plain)
    clusters = Clusters(Path(order["children"]["IPYTHONDIR"]))
    found = board_routes(app.base_url, boards) + cluster_routes(app.base_url, clusters)
    app.web_app.add_handlers(".*$", found + proxy_routes(app.base_url, boards))
    app.at_end += [boards.end, clusters.end]


def _for_tools(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what programs of the site's own environment start with."""
    left_out = ("LD_", "PYTHON", "JUPYTERHUB_", "JPY_", "BASH_ENV")
    return {
        name: value for name, value in environ.items() if not name.startswith(left_out)
    }


def _listen_to_slurm(app: Server, watch: Watch) -> None:
    """Take the signal that Slurm sends some time before the limit."""

    def nearly_up(_number: int, _frame: FrameType | None) -> None:
        app.io_loop.add_callback_from_signal(watch.time_is_nearly_up)

    signal.signal(signal.SIGUSR1, nearly_up)
