"""Whose process is at the other end of a connection on this machine.

Our proxy says in X-Forwarded-For from where somebody comes. Anybody with a shell here
can connect to the same port and say anything. The kernel knows the difference.
"""

import errno
import os
import socket
import struct
from collections.abc import Collection
from pathlib import Path
from typing import Any, Final

from kqi_hub.domain.address import Network, client_address

_SOCK_DIAG: Final = 4
_SOCK_DIAG_BY_FAMILY: Final = 20
_NLMSG_ERROR: Final = 2
_NO_COOKIE: Final = 0xFFFFFFFF
# struct nlmsghdr; inet_diag_req_v2 before and after its two addresses.
_HEAD: Final = struct.Struct("=IHHII")
_QUESTION: Final = struct.Struct("=BBBBI")
_COOKIE: Final = struct.Struct("=III")
# Where inet_diag_msg has idiag_uid and idiag_inode.
_OWNER: Final = struct.Struct("=II")
_OWNER_AT: Final = _HEAD.size + 4 + 48 + 3 * 4
_TABLE: Final = Path("/proc/net/tcp")

Address = tuple[str, int]


def asker_address(request: Any, trusted_proxies: Collection[Network]) -> str:
    """Return from where a Tornado request comes, as far as that can be believed."""
    peer = request.connection.context.address
    return client_address(str(peer[0]), said_by_our_proxy(request), trusted_proxies)


def said_by_our_proxy(request: Any) -> str:
    """Return X-Forwarded-For, empty when a process of somebody else here says it."""
    said = ",".join(request.headers.get_list("X-Forwarded-For"))
    peer = request.connection.context.address
    if not said or peer[0] != "127.0.0.1":
        return said
    stream = request.connection.stream
    here = stream.socket.getsockname() if stream.socket is not None else None
    is_ours = here is not None and owner_of(peer[:2], here[:2]) == os.geteuid()
    return said if is_ours else ""


def owner_of(end: Address, other: Address) -> int | None:
    """Return the uid of who holds one end of an IPv4 connection on this machine.

    None is the answer for an end that nobody holds any more: it was closed.
    """
    found = _asked_of_kernel(end, other)
    if found is None:
        # Also how a kernel answers that has no inet_diag; there the table tells.
        found = _read_in_table(end, other)
    uid, inode = found or (0, 0)
    return uid if inode else None


def _asked_of_kernel(end: Address, other: Address) -> tuple[int, int] | None:
    """Ask for one socket; it takes 20 microseconds however many there are."""
    ports = struct.pack("!HH", end[1], other[1])
    addresses = b"".join(
        socket.inet_aton(one[0]).ljust(16, b"\0") for one in (end, other)
    )
    question = (
        _QUESTION.pack(socket.AF_INET, socket.IPPROTO_TCP, 0, 0, _NO_COOKIE)
        + ports
        + addresses
        + _COOKIE.pack(0, _NO_COOKIE, _NO_COOKIE)
    )
    head = _HEAD.pack(_HEAD.size + len(question), _SOCK_DIAG_BY_FAMILY, 1, 0, 0)
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, _SOCK_DIAG) as kernel:
            kernel.send(head + question)
            answer = kernel.recv(8192)
    except OSError as error:
        if error.errno in {errno.EPROTONOSUPPORT, errno.EAFNOSUPPORT, errno.ENOENT}:
            return None
        raise
    if _HEAD.unpack_from(answer)[1] == _NLMSG_ERROR:
        return None
    uid, inode = _OWNER.unpack_from(answer, _OWNER_AT)
    return uid, inode


def _read_in_table(end: Address, other: Address) -> tuple[int, int] | None:
    wanted = f" {_in_hex(end)} {_in_hex(other)} ".encode()
    for line in _TABLE.read_bytes().splitlines():
        if wanted in line:
            words = line.split()
            return int(words[7]), int(words[9])
    return None


def _in_hex(address: Address) -> str:
    number = int.from_bytes(socket.inet_aton(address[0]), "little")
    return f"{number:08X}:{address[1]:04X}"
