"""Listen on the node's own address before there is a server: no port is ever lost."""

import os
import socket
from collections.abc import Callable, Iterator, Mapping
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

_BACKLOG: Final = 128


class NoAddress(Exception):
    """No address of this node could be listened on."""


def listen(
    hub_api_url: str,
    environ: Mapping[str, str] = os.environ,
    own_name: Callable[[], str] = socket.gethostname,
) -> socket.socket:
    """Return a listening socket on the address at which the hub finds this node."""
    problems = []
    for address in dict.fromkeys(_addresses(hub_api_url, environ, own_name)):
        try:
            return _bound(address)
        except OSError as error:
            problems.append(f"{address}: {error.strerror or error}")
    unknown = f"the hub's address {hub_api_url} is unknown"
    raise NoAddress("; ".join(problems) or unknown)


def _addresses(
    hub_api_url: str, environ: Mapping[str, str], own_name: Callable[[], str]
) -> Iterator[str]:
    """Yield what may be this node's address for the hub, the best guess first."""
    hub = _resolved(_host(hub_api_url))
    if hub and all(ip_address(one).is_loopback for one in hub):
        yield hub[0]  # hub and nodes are one machine
        return
    for name in (environ.get("SLURMD_NODENAME", ""), own_name()):
        # Debian writes the machine's own name down as 127.0.1.1.
        yield from (one for one in _resolved(name) if not ip_address(one).is_loopback)
    yield from filter(None, map(_towards, hub))


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _resolved(name: str) -> list[str]:
    if not name:
        return []
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except OSError:
        return []
    return [str(place[4][0]) for place in found]


def _towards(address: str) -> str:
    """Return which of our addresses packets to another one leave from; sends none."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((address, 9))
        except OSError:
            return ""
        return str(probe.getsockname()[0])


def _bound(address: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.bind((address, 0))
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener
