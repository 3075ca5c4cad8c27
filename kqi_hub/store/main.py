"""Run the store: two faces of one disk."""

import argparse
import asyncio
import logging
import os
import pwd
import resource
import signal
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tornado.netutil import bind_sockets

from kqi_hub.store.app import make_app, make_server
from kqi_hub.store.face import Counter
from kqi_hub.store.house import House
from kqi_hub.store.socket_face import Asker, SocketFace

# What others may do with what we make: nothing; the tenant's group reads.
_UMASK: Final = 0o027
_THREADS: Final = 12
_SHORTEST_KEY: Final = 32


class CannotRun(Exception):
    """Something that the store needs is not there; the message says what."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says."""

    root: Path
    socket: Path
    key_file: Path
    portal_user: str
    port: int
    base: str
    keep_days: float


def main(arguments: list[str] | None = None) -> int:
    """Serve until told to stop; return the exit code."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
    )
    try:
        asyncio.run(_serve(_options(arguments)))
    except (CannotRun, OSError) as error:
        sys.stderr.write(f"store: {error}\n")
        return 1
    return 0


def _options(arguments: list[str] | None) -> Options:
    parser = argparse.ArgumentParser(prog="kqi-store", description=__doc__)
    parser.add_argument("--root", type=Path, default=Path("/scratch/kqi-store"))
    parser.add_argument(
        "--socket", type=Path, default=Path("/run/kqi-store/store.sock")
    )
    parser.add_argument("--key-file", type=Path, default=Path("/etc/kqi/store.key"))
    parser.add_argument("--portal-user", default="kqi")
    parser.add_argument("--port", type=int, default=8003)
    parser.add_argument("--base", default="/services/store/")
    parser.add_argument("--keep-days", type=float, default=7.0)
    return Options(**vars(parser.parse_args(arguments)))


async def _serve(options: Options) -> None:
    os.umask(_UMASK)
    # People may hand over hundreds of open files at a time, each of them.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    key, portal = _key(options.key_file), _uid(options.portal_user)
    _check_root(options.root)
    house = House(options.root)
    threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="disk")
    counter = Counter(house, key, threads, options.keep_days)
    server = make_server(make_app(options.base, counter))
    server.add_sockets(bind_sockets(options.port, "127.0.0.1"))
    house.tenants.take_up()
    SocketFace(options.socket, house, Asker(portal, key)).start()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    logging.getLogger(__name__).info(
        "listening on port %d and %s", options.port, options.socket
    )
    await stop.wait()
    server.stop()
    await server.close_all_connections()
    threads.shutdown(wait=False, cancel_futures=True)


def _key(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            key = file.read(4096).strip()
    except OSError as error:
        raise CannotRun(f"the key file {path}: {error.strerror}") from error
    if mode & stat.S_IRWXO:
        raise CannotRun(f"anybody may open the key file {path}: chmod 0640 it")
    if len(key) < _SHORTEST_KEY:
        raise CannotRun(f"the key in {path} is shorter than {_SHORTEST_KEY} bytes")
    return key


def _uid(name: str) -> int:
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        raise CannotRun(f"there is no user {name}, the portal's") from None


def _check_root(root: Path) -> None:
    if os.geteuid() == 0:
        raise CannotRun("run it as a user of its own, such as kqi-store, not as root")
    if not root.is_dir() or root.lstat().st_uid != os.geteuid():
        raise CannotRun(f"{root} is not our folder: run `kqi-hub store prepare`")
