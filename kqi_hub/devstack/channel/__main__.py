"""Bring the demo's channel and site folders up to date, and say how far it is."""

import os
import sys

from conda_bootstrap.errors import BootstrapError
from conda_bootstrap.site.telling import Terminal
from kqi_hub.devstack.channel.download import DownloadFailed
from kqi_hub.devstack.channel.own_python import UnknownPython
from kqi_hub.devstack.channel.prepare import prepare
from kqi_hub.devstack.channel.wheel import BadWheel
from kqi_hub.devstack.environments import of_checkout


def main() -> None:
    """Run it; a failure says what to do."""
    os.umask(0o022)
    terminal = Terminal()
    try:
        prepare(of_checkout(), terminal)
    except (DownloadFailed, UnknownPython, BadWheel, BootstrapError) as error:
        terminal.say(str(error))
        sys.exit(1)


if __name__ == "__main__":
    main()
