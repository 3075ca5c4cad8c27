"""The supervisor's side of the control socket."""

import asyncio
import json
import socket
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from kqi_hub.devstack.keeper import Keeper
from kqi_hub.devstack.supervisor import Supervisor


class ControlServer:
    """Answer `status`, `stop` and what tests do to single services."""

    def __init__(
        self,
        supervisor: Supervisor,
        ports: Mapping[str, int],
        stopping: asyncio.Event,
    ) -> None:
        self._supervisor = supervisor
        self._ports = ports
        self._stopping = stopping
        self._listeners: list[asyncio.StreamWriter] = []
        self._started_at = time.time()

    async def listen(self, path: Path) -> None:
        """Serve the socket at `path`, for root alone."""
        await asyncio.start_unix_server(self._answer, sock=_listener(path))

    def told_of_stop(self, step: str, seconds: float) -> None:
        """Pass on that a service is down to whoever asked for the stop."""
        for writer in self._listeners:
            _send(writer, {"name": step, "seconds": round(seconds, 2)})

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            request = json.loads(await reader.readline())
            _send(writer, {})
            match request["verb"]:
                case "stop":
                    # Stays open until this process ends: that is the answer.
                    self._listeners.append(writer)
                    self._stopping.set()
                    return
                case "status":
                    _send(writer, self._status())
                case "service":
                    _send(writer, await self._act(request))
                case other:
                    _send(writer, {"error": f"no verb {other!r}"})
        except (ValueError, KeyError, TypeError) as error:
            _send(writer, {"error": f"not a request: {error!r}"})
        writer.close()

    def _status(self) -> dict[str, object]:
        return {
            "state": self._supervisor.state,
            "started_at": self._started_at,
            "ports": dict(self._ports),
            "services": [_describe(one) for one in self._supervisor.keepers.values()],
        }

    async def _act(self, request: Mapping[str, str]) -> dict[str, object]:
        keeper = self._supervisor.keepers.get(request["service"])
        if keeper is None:
            known = ", ".join(self._supervisor.keepers)
            return {"error": f"no service {request['service']!r}; there are: {known}"}
        action = _ACTIONS.get(request["action"])
        if action is None:
            return {"error": f"no action {request['action']!r}"}
        await action(keeper)
        return _describe(keeper)


async def _restart(keeper: Keeper) -> None:
    await keeper.stop()
    keeper.want()


async def _start(keeper: Keeper) -> None:
    keeper.want()


async def _pause(keeper: Keeper) -> None:
    keeper.pause()


async def _resume(keeper: Keeper) -> None:
    keeper.resume()


_ACTIONS: Mapping[str, Callable[[Keeper], Awaitable[None]]] = {
    "stop": Keeper.stop,
    "start": _start,
    "restart": _restart,
    "kill": Keeper.kill,
    "pause": _pause,
    "resume": _resume,
}
ACTIONS = tuple(_ACTIONS)


def _listener(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    path.chmod(0o600)
    return listener


def _describe(keeper: Keeper) -> dict[str, object]:
    return {
        "name": keeper.service.name,
        "state": keeper.state,
        "pid": keeper.pid,
        "user": keeper.service.command.user,
        "port": keeper.service.port,
        "log": keeper.log.name,
        "deaths": keeper.deaths,
        "last_exit": keeper.last_exit,
        "started_at": keeper.started_at,
    }


def _send(writer: asyncio.StreamWriter, answer: Mapping[str, object]) -> None:
    writer.write(json.dumps(answer).encode() + b"\n")
