"""The controller of the profile `slurm`: in the notebook's job, on the node's address.

This file may be changed: from then on KQI Hub leaves it alone.
"""

import os
import secrets
import socket
from ipaddress import ip_address

import zmq

c = get_config()  # type: ignore[name-defined]  # noqa: F821  # IPython gives it


def _own_address() -> str:
    """Return where engines on other nodes find this one."""
    # A notebook knows on which address the portal finds it.
    if known := os.environ.get("KQI_NODE_ADDRESS", ""):
        return str(ip_address(known))
    for name in (os.environ.get("SLURMD_NODENAME", ""), socket.gethostname()):
        try:
            found = socket.getaddrinfo(name, None, socket.AF_INET) if name else []
        except OSError:
            continue
        for place in found:
            # Debian writes the machine's own name down as 127.0.1.1.
            if not ip_address(place[4][0]).is_loopback:
                return str(place[4][0])
    return "127.0.0.1"


_address = _own_address()
c.IPController.ip = _address
c.IPController.location = _address
# Nobody listens to what is said to engines, and nobody says anything without the key.
# Both are in files of the profile that nobody else may read.
c.IPController.enable_curve = bool(zmq.has("curve"))
c.Session.key = secrets.token_hex(32).encode()
# An engine that is silent for half a minute is gone.
c.HeartMonitor.period = 3000
c.HeartMonitor.max_heartmonitor_misses = 10
