"""Bring the demo's channel and site folders up to date, and say how far it is."""

import os
import signal
import subprocess
from typing import Final

from conda_bootstrap.errors import BootstrapError
from conda_bootstrap.leaving import leave
from conda_bootstrap.site.telling import Terminal
from kqi_hub.devstack.channel.download import DownloadFailed
from kqi_hub.devstack.channel.own_python import UnknownPython
from kqi_hub.devstack.channel.prepare import prepare
from kqi_hub.devstack.channel.wheel import BadWheel
from kqi_hub.devstack.environments import of_checkout

_KNOWN: Final = (
    BadWheel,
    BootstrapError,
    DownloadFailed,
    OSError,
    UnknownPython,
    subprocess.CalledProcessError,
)


def main() -> int:
    """Run it and return the exit code; a failure says what to do."""
    os.umask(0o022)
    # Ended by Ctrl-C at once, and seen by the shell as that: it must not go on.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    terminal = Terminal()
    try:
        prepare(of_checkout(), terminal)
    except _KNOWN as error:
        terminal.say(f"{error}\nWhat is made already is kept in .environments.")
        return 1
    return 0


if __name__ == "__main__":
    leave(main())
