"""Free loopback ports: chosen once, kept, chosen anew when somebody took them."""

import json
import random
import socket
from contextlib import ExitStack
from pathlib import Path

LOOPBACK = "127.0.0.1"
# Below the range from which the kernel takes ports for outgoing connections.
_RANGE = range(20000, 32000)
_TRIES = 200


def keep_ports(
    path: Path, names: tuple[str, ...], reserved: ExitStack
) -> dict[str, int]:
    """Return a free port for each name: those of the last time where they still are.

    Until `reserved` closes, no other demo can choose them: a socket is bound to each
    that does not listen, which does not keep the service itself from listening.
    """
    before: dict[str, int] = json.loads(path.read_text()) if path.exists() else {}
    ports = {}
    for name in names:
        holder = _last_time(before.get(name)) or _any_free()
        reserved.enter_context(holder)
        ports[name] = holder.getsockname()[1]
    path.write_text(json.dumps(ports, indent=2) + "\n")
    return ports


def _last_time(port: int | None) -> socket.socket | None:
    """Return a hold on the port of the last time, unless somebody listens there."""
    # Its connections of a moment ago (TIME_WAIT) must not count.
    return _hold(port, reuse=True) if port else None


def _any_free() -> socket.socket:
    for port in random.sample(_RANGE, _TRIES):
        holder = _hold(port, reuse=False)
        if holder is not None:
            return holder
    raise OSError(f"no free port on {LOOPBACK} between 20000 and 32000")


def _hold(port: int, *, reuse: bool) -> socket.socket | None:
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(reuse))
    try:
        holder.bind((LOOPBACK, port))
    except OSError:
        holder.close()
        return None
    # From now on a server that asks for it (they all do) may share the address.
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return holder
