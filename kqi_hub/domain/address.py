"""From where somebody comes: who may say so, and what counts as one place."""

import ipaddress
from collections.abc import Collection
from typing import Final

_LONGEST_CHAIN: Final = 32
# A home or a telephone is given a whole /64: its addresses are one place.
_IPV6_PLACE: Final = 64

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def networks(texts: Collection[str]) -> tuple[Network, ...]:
    """Read addresses and networks such as 10.0.0.0/8; ValueError if one is neither."""
    return tuple(ipaddress.ip_network(text) for text in texts)


# Who connects to the hub or the portal from this machine: the hub's own proxy.
_OWN_PROXY: Final = networks(("127.0.0.1", "::1"))


def client_address(
    peer: str, forwarded_for: str | None, trusted_proxies: Collection[Network]
) -> str:
    """Return the address of the person behind a connection.

    `forwarded_for` (the X-Forwarded-For header) is read from its end for as long as
    the one who says so is a trusted proxy; what others wrote before is not believed.
    The hub's own proxy is believed once: who reaches it from this machine is somebody
    at a shell, unless the site trusts 127.0.0.1 too.
    """
    address = _parsed(peer)
    if address is None:
        return "unknown"
    said = [part.strip() for part in (forwarded_for or "").split(",")[-_LONGEST_CHAIN:]]
    believed = (*_OWN_PROXY, *trusted_proxies)
    while said and _is_trusted(address, believed):
        before = _parsed(said.pop())
        if before is None:
            break
        address, believed = before, tuple(trusted_proxies)
    return str(address)


def counted_address(address: str) -> str:
    """Return the place whose failures are counted together with this address's."""
    parsed = _parsed(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((parsed, _IPV6_PLACE), strict=False))
    return "unknown" if parsed is None else str(parsed)


def _parsed(text: str) -> _Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        # ::ffff:192.0.2.1 is how a dual-stack socket calls 192.0.2.1.
        mapped = address.ipv4_mapped
        return mapped if mapped is not None else ipaddress.IPv6Address(int(address))
    return address


def _is_trusted(address: _Address, trusted: Collection[Network]) -> bool:
    return any(
        address.version == network.version and address in network for network in trusted
    )
