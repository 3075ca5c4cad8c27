"""Free loopback ports: chosen once, kept, chosen anew when somebody took them."""

import json
import random
import socket
from contextlib import ExitStack
from pathlib import Path

LOOPBACK = "127.0.0.1"
# Below the range from which the kernel takes ports for outgoing connections.
_RANGE = range(20000, 32000)


def keep_ports(path: Path, names: tuple[str, ...]) -> dict[str, int]:
    """Return a free port for each name: those of the last time where they still are."""
    before: dict[str, int] = json.loads(path.read_text()) if path.exists() else {}
    with ExitStack() as held:
        ports = {name: _hold(held, before.get(name)) for name in names}
    path.write_text(json.dumps(ports, indent=2) + "\n")
    return ports


def _hold(held: ExitStack, wanted: int | None) -> int:
    """Bind a port until `held` closes, so that no other name gets the same."""
    tries = [wanted] if wanted else []
    for port in [*tries, *random.sample(_RANGE, 200)]:
        listener = socket.socket()
        # What the servers set: a port in TIME_WAIT is free.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, port))
        except OSError:
            listener.close()
            continue
        held.enter_context(listener)
        return port
    raise OSError("no free loopback port among 200 tried between 20000 and 32000")
