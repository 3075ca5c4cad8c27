"""The spawner of a person's agent: a process on the hub's machine, as the person."""

import asyncio
import json
import os
import socket
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final

import jupyterhub
from jupyterhub.spawner import Spawner

from kqi_hub.bootstrap.cluster import open_door
from kqi_hub.bootstrap.store import store_root
from kqi_hub.domain.errors import DoorRefused
from kqi_hub.domain.ports import Door
from kqi_hub.runas.agents import AgentProcess, DoorAgents
from kqi_hub.settings.loader import load_settings
from kqi_hub.settings.model import Settings

_VERSION: Final = 1
_TRIES: Final = 3
_LOOPBACK: Final = "127.0.0.1"


class AgentSpawner(Spawner):
    """Start and stop the agent through the door; watch it without asking anybody."""

    # Who is to know at once that the agent ended; the wrapper sets itself here.
    wrapper: Any = None
    _process: AgentProcess | None = None
    _watched: int | None = None

    @cached_property
    def site(self) -> Settings:
        """Return the site's settings."""
        return load_settings()

    @cached_property
    def door(self) -> Door:
        """Return the way to the privileged helper."""
        return open_door(self.site)

    async def start(self) -> tuple[str, int]:
        """Start it; the port may be taken between our choice and its listening."""
        await self.door.run("make-scratch", self.user.name, {})
        for tries_left in reversed(range(_TRIES)):
            port = _free_port()
            text = self._instructions(port)
            try:
                self._process = await DoorAgents(self.door).start(self.user.name, text)
            except DoorRefused as error:
                if "Address already in use" not in str(error) or not tries_left:
                    raise
            else:
                self._watch()
                return _LOOPBACK, port
        raise AssertionError("the last try returns or raises")

    def _instructions(self, port: int) -> str:
        told = {
            "version": _VERSION,
            "port": port,
            "folder": str(self.site.scratch.root / self.user.name),
            "idle_s": self.site.notebooks.agent_idle_minutes * 60,
            "is_https": self.site.hub.public_url.startswith("https:"),
            "hub_version": jupyterhub.__version__,
            "hub": _hub_words(self.get_env()),
            "environments": _environment_rules(self.site),
            "files": _file_rules(self.site),
        }
        return json.dumps(told)

    def _watch(self) -> None:
        """Have the kernel tell when it ends: its route must not outlive it for long.

        Whoever listens on its port next would be shown what people send to it.
        """
        self._unwatch()
        if self._process is None:
            return
        try:
            self._watched = os.pidfd_open(self._process.pid)
        except ProcessLookupError:
            return  # `poll` will tell
        asyncio.get_running_loop().add_reader(self._watched, self._has_ended)

    def _unwatch(self) -> None:
        if self._watched is not None:
            asyncio.get_running_loop().remove_reader(self._watched)
            os.close(self._watched)
            self._watched = None

    def _has_ended(self) -> None:
        self._unwatch()
        if self.wrapper is not None:
            self.wrapper.tell_over()

    async def stop(self, now: bool = False) -> None:
        """Stop it; the helper is asked only while it lives."""
        self._unwatch()
        process = self._process
        if process is not None and process.is_alive():
            await DoorAgents(self.door).stop(self.user.name, process)
        self._process = None

    async def poll(self) -> int | None:
        """Return None while it lives."""
        process = self._process
        return None if process is not None and process.is_alive() else 0

    def get_state(self) -> dict[str, Any]:
        """Return what finds the process again after the hub's restart."""
        state: dict[str, Any] = super().get_state()
        if self._process is not None:
            state |= {"pid": self._process.pid, "began": self._process.began}
        return state

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Find the process again."""
        super().load_state(state)
        if "pid" in state and "began" in state:
            self._process = AgentProcess(int(state["pid"]), int(state["began"]))
            self._watch()

    def clear_state(self) -> None:
        """Forget the process."""
        super().clear_state()
        self._unwatch()
        self._process = None


def _environment_rules(site: Settings) -> dict[str, object]:
    """Return how environments are made; kqi_hub/agent/environment_rules.py reads it."""
    rules = site.environments
    return {
        "site": str(rules.site),
        "python": str(site.notebooks.session_python),
        "run_on": rules.run_on,
        "queue": rules.queue,
        "cpus": rules.cpus,
        "memory_mb": rules.memory_mb,
        "minutes": rules.minutes,
        "slurm_bin": str(site.cluster.slurm_bin),
        "slurm_conf": str(site.cluster.slurm_conf or ""),
    }


def _file_rules(site: Settings) -> dict[str, object]:
    """Return where files may be looked at; kqi_hub/agent/files/rules.py reads it."""
    return {
        "scratch": str(site.scratch.root),
        "store": str(store_root(site)),
        "roots": list(site.files.roots),
        "store_socket": str(site.store.socket),
    }


def _hub_words(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what the hub has to say, and nothing of its own surroundings."""
    return {
        name: value
        for name, value in environment.items()
        if name.startswith("JUPYTERHUB_") and value
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port
