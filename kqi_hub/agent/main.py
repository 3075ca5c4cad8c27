"""Run an agent: read the instructions, listen, say so, serve, end when idle."""

import asyncio
import logging
import os
import resource
import signal
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from kqi_hub.agent.access import Access
from kqi_hub.agent.app import make_app
from kqi_hub.agent.base import Agent
from kqi_hub.agent.conda import Conda
from kqi_hub.agent.files.places import Roots
from kqi_hub.agent.files.workers import Workers
from kqi_hub.agent.folder import open_folder
from kqi_hub.agent.frugal import be_frugal
from kqi_hub.agent.inside.place import Inside
from kqi_hub.agent.instructions import (
    BadInstructions,
    Instructions,
    read_instructions,
)
from kqi_hub.agent.logins import Logins
from kqi_hub.agent.orders import MOST_BYTES
from kqi_hub.agent.own_conda import OwnConda
from kqi_hub.agent.own_shelf import OwnShelf
from kqi_hub.agent.tasks import Tasks
from kqi_hub.agent.use import Use

# The last line that whoever started us waits for.
_LISTENING: Final = b"listening\n"
_LONGEST_LOG_BYTES: Final = 1024 * 1024
_APPEND: Final = (
    os.O_WRONLY
    | os.O_APPEND
    | os.O_CREAT
    | os.O_NOFOLLOW
    | os.O_NONBLOCK
    | os.O_CLOEXEC
)


def main() -> int:
    """Serve until idle or told to stop; return the exit code."""
    try:
        told = read_instructions(_standard_input())
        be_frugal()
        _open_many_files()
        asyncio.run(_serve(told))
    except (BadInstructions, OSError) as error:
        sys.stderr.write(f"agent: {error}\n")
        return 1
    return 0


def _open_many_files() -> None:
    """Take what we may have: each folder that is gone through holds two descriptors."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _standard_input() -> bytes:
    """Read all of it and let go of it: it holds the hub's token."""
    with os.fdopen(os.dup(0), "rb") as file:
        raw = file.read()
    _replace(os.open(os.devnull, os.O_RDONLY), 0)
    return raw


async def _serve(told: Instructions) -> None:
    use = Use(told.idle_s)
    disk = ThreadPoolExecutor(4, thread_name_prefix="disk")
    tasks = Tasks(told.folder, told.environments, disk)
    conda, shelf = _conda(told), OwnShelf(told.folder)
    files = Workers(Roots(told.folder, told.files))
    inside = Inside(told, disk)
    agent = Agent(
        told, Access(told), Logins(), use, disk, tasks, files, inside, conda, shelf
    )
    server = HTTPServer(
        make_app(agent),
        max_header_size=32 * 1024,
        max_body_size=MOST_BYTES,
        max_buffer_size=1024 * 1024,
        chunk_size=256 * 1024,
        idle_connection_timeout=120,
    )
    server.add_sockets(bind_sockets(told.port, "127.0.0.1"))
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    _say_so(told.folder)
    tasks.take_up_beside()
    while not stop.is_set() and (left := use.left_s) > 0:
        try:
            async with asyncio.timeout(left):
                await stop.wait()
        except TimeoutError:
            continue
    server.stop()
    await inside.close()
    await server.close_all_connections()
    files.close()
    disk.shutdown(wait=False, cancel_futures=True)


def _conda(told: Instructions) -> Conda | None:
    rules = told.environments
    return None if rules is None else OwnConda(told.folder, rules.site)


def _say_so(folder: Path) -> None:
    """Tell whoever started us, and speak to the log from now on.

    Nobody there to be told means that the start was given up: BrokenPipeError ends us.
    """
    log = _open_log(folder)
    os.write(1, _LISTENING)
    os.dup2(log, 1)
    _replace(log, 2)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("tornado.access").setLevel(logging.CRITICAL)


def _open_log(folder: Path) -> int:
    """Open the person's own file, or nothing: a full disk keeps no agent away."""
    try:
        with open_folder(folder, "kqi") as place:
            log = os.open("agent.log", _APPEND, 0o600, dir_fd=place)
        info = os.fstat(log)
        if not stat.S_ISREG(info.st_mode):
            return os.open(os.devnull, os.O_WRONLY)
        if info.st_size > _LONGEST_LOG_BYTES:
            os.ftruncate(log, 0)
    except OSError:
        return os.open(os.devnull, os.O_WRONLY)
    return log


def _replace(source: int, place: int) -> None:
    os.dup2(source, place)
    os.close(source)
