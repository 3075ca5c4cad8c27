"""Start a cluster and follow it: once until it is up, or for as long as we live."""

import os
import select
import signal
import socket
import time
from collections.abc import Callable

from kqi_hub.devstack import launch, telling
from kqi_hub.devstack.launch import LaunchFailed, Supervising
from kqi_hub.devstack.layout import Folder

_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_LOOK_FOR_PARENT_S = 1.0


def bring_up(folder: Folder, *, stay: bool) -> Supervising:
    """Start it and tell of each step; when that fails or is stopped, leave nothing."""
    began = time.monotonic()
    telling.say(f"Starting the demo cluster in {folder.path}")
    supervising = launch.start(folder, stay=stay)
    try:
        _follow(folder, supervising)
    except BaseException:
        supervising.hang_up()
        launch.wait_until_gone(folder)
        raise
    telling.say(f"Ready after {time.monotonic() - began:.1f} s.\n")
    return supervising


def _follow(folder: Folder, supervising: Supervising) -> None:
    """Return at `ready`; raise LaunchFailed with what is wrong."""
    for event in supervising.events():
        match event["event"]:
            case "step":
                telling.step(event["name"], event["seconds"])
            case "ready":
                return
            case "failed":
                launch.wait_until_gone(folder)
                raise LaunchFailed(telling.failure(folder, event))
    log = telling.tail(folder.logs / "supervisor.log")
    raise LaunchFailed(f"The supervisor ended.\n{log}")


def interrupted_by(act: Callable[[], None]) -> None:
    """Run `act` with TERM and HUP doing what Ctrl-C does."""
    for number in _ENDINGS:
        # Under nohup HUP is ignored: it stays so.
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)
    act()


def stay_until_told(supervising: Supervising) -> None:
    """Return at Ctrl-C, TERM or HUP, when our parent ends, or the supervisor does."""
    parent = os.getppid()
    has_terminal_parent = signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN
    try:
        while _has_not_ended(supervising.connection):
            if has_terminal_parent and os.getppid() != parent:
                return
    except KeyboardInterrupt:
        return


def _has_not_ended(connection: socket.socket) -> bool:
    readable, _, _ = select.select([connection], [], [], _LOOK_FOR_PARENT_S)
    return not readable or bool(connection.recv(4096))
