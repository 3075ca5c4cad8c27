"""The notebook server: Jupyter Server with the hub's login, on a socket given to it.

Nothing that a person keeps in a home directory configures it: only the site's own
configuration does, so that a broken file of theirs cannot keep it from starting.
"""

import asyncio
import os
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Final

from jupyter_core.paths import ENV_CONFIG_PATH, SYSTEM_CONFIG_PATH
from jupyter_server.serverapp import ServerApp
from jupyterhub.singleuser.extension import JupyterHubSingleUser
from traitlets.config import Config

from kqi_hub.session.kernelspecs import KernelSpecs
from kqi_hub.session.launching import Kernels
from kqi_hub.session.probing import Notes
from kqi_hub.session.telling import tell_ending

_EXTENSIONS: Final = {
    "jupyterlab": True,
    "notebook": True,
    "notebook_shim": True,
    "jupyter_server_terminals": True,
    "kqi_hub.session.extension": True,
    # Our Clusters page starts engines on nodes and in queues; theirs knows neither.
    "ipyparallel": False,
    # Its handlers are ours to place: see session/proxies.py.
    "jupyter_server_proxy": False,
    # Searches for language servers at each start; a site that has some switches it on.
    "jupyter_lsp": False,
}


# Lab asks everybody whether to fetch news, whatever news_url is: this answers for all.
_SETTINGS: Final = Path(__file__).parent / "settings"
# Ours in Lab and Notebook, which need not be built or installed. It switches off those
# that ask for parts of the server that ours takes the place of.
_LAB_EXTENSIONS: Final = Path(__file__).parent / "labextension"
_KERNELS: Final = f"{Kernels.__module__}.{Kernels.__name__}"
# Less than the runner waits, and that is less than Slurm does.
_CLEANUP_S: Final = 6.0


class NotebookServer(ServerApp):
    """A server that listens where the runner has begun to: the port is sure."""

    listener: ClassVar[socket.socket]
    # What the session has started beside kernels and terminals ends with it.
    at_end: ClassVar[list[Callable[[], None]]] = []
    no_browser_open_file = True
    # Unless something else is known, somebody shut it down from inside.
    _why = "finished"
    _seen: Mapping[str, int] = MappingProxyType({})

    def _find_http_port(self) -> None:
        """Search for no port: there is one."""
        self.port = self.listener.getsockname()[1]

    def _bind_http_server_tcp(self) -> bool:
        self.http_server.add_sockets([self.listener])
        return True

    def _signal_stop(self, sig: Any, frame: Any) -> None:
        # Slurm signals every process of the job, and the runner its server once more.
        is_first, self._why = self._why != "signal", "signal"
        if is_first:
            super()._signal_stop(sig, frame)

    def end(self, why: str, seen: Mapping[str, int]) -> None:
        """Stop, and tell the hub why and what was seen."""
        if not self._stopping:
            self._why, self._seen = why, seen
            self.stop()

    async def _cleanup(self) -> None:
        # Every way to the end leads through here, that of /api/shutdown too.
        self._restart_no_kernel()
        for end in self.at_end:
            end()
        if self._why != "signal":
            await tell_ending(self._why, self._seen, self.log)
        try:
            async with asyncio.timeout(_CLEANUP_S):
                await super()._cleanup()
        except Exception:  # whatever a kernel or an extension does, it must end
            self.log.exception("Not everything could be shut down in order")

    def _restart_no_kernel(self) -> None:
        """Let kernels that Slurm has ended as well stay ended."""
        kernels: Any = self.kernel_manager
        for kernel_id in kernels.list_kernel_ids():
            kernels.get_kernel(kernel_id).stop_restarter()

    @property
    def config_file_paths(self) -> list[str]:
        """Return where configuration is read from: the site's folders alone."""
        return [*ENV_CONFIG_PATH, *SYSTEM_CONFIG_PATH]


class HubServer(JupyterHubSingleUser):
    """JupyterHub's login for it."""

    serverapp_class = NotebookServer

    async def check_hub_version(self) -> None:
        """Do without the first question to the hub: it may be away for a minute."""

    @classmethod
    def get_extension_package(cls) -> str:
        """Return the module that says where this class is."""
        return __name__

    @classmethod
    def make_serverapp(cls, **kwargs: Any) -> ServerApp:
        """Return the server with our configuration."""
        app: ServerApp = super().make_serverapp(**kwargs)
        app.jpserver_extensions.update(_EXTENSIONS)
        app.update_config(_OURS)
        return app


_OURS = Config()


def _jupyter_server_extension_points() -> list[dict[str, object]]:
    return [{"module": __name__, "app": HubServer}]


def serve(order: Mapping[str, Any]) -> None:
    """Serve until told to stop."""
    _OURS.merge(configuration(order))
    NotebookServer.listener = socket.socket(fileno=order["listen_fd"])
    NotebookServer.listener.setblocking(False)
    KernelSpecs.environments = Path(order["environments"])
    KernelSpecs.data = Path(order["data"])
    KernelSpecs.chosen = order["default_kernel"]
    # <scratch>/.conda/envs
    Kernels.notes = Notes(Path(order["environments"]).parents[1])
    os.environ.clear()
    os.environ.update(order["environment"])
    HubServer.launch_instance(argv=[])


def configuration(order: Mapping[str, Any]) -> Config:
    """Return what the server is told beyond what the hub's environment says."""
    config = Config()
    # Who may run a job was decided at the portal's door.
    config.ServerApp.allow_root = True
    config.ServerApp.tornado_settings = {"kqi_session": order}
    config.ServerApp.root_dir = order["root"]
    config.ServerApp.open_browser = False
    config.ServerApp.terminado_settings = {"shell_command": order["shell"]}
    config.ServerApp.default_url = "/" + order["ui"]
    config.ServerApp.kernel_spec_manager_class = KernelSpecs
    config.MultiKernelManager.kernel_manager_class = _KERNELS
    config.MultiKernelManager.default_kernel_name = order["default_kernel"]
    # Nothing leaves the cluster by itself, and nothing is built here.
    config.LabApp.news_url = None
    config.LabApp.app_settings_dir = str(_SETTINGS)
    config.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
    config.LabApp.extension_manager = "readonly"
    config.LabApp.collaborative = False
    for name in ("LabApp", "JupyterNotebookApp"):
        config[name].extra_labextensions_path = [str(_LAB_EXTENSIONS)]
    return config
