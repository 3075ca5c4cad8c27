"""Start a notebook's server: import first, then wait to be told what to serve.

The runner starts this at the very beginning of the job, so that the imports happen
while it prepares folders, repository and start command.
"""

import json
import signal
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Final

from kqi_hub.session.quick import import_server

# What the server would import a little later.
_ALSO: Final = (
    "jupyterlab.labapp",
    "notebook.app",
    "jupyter_server_terminals.app",
    "kqi_hub.session.extension",
)


def main() -> int:
    """Serve until told to stop; return the exit code."""
    application = import_server("kqi_hub.session.application")
    for name in _ALSO:
        import_module(name)
    told = sys.stdin.readline()
    if not told:
        return 0  # the runner has gone: there is nothing to serve
    order: Mapping[str, object] = json.loads(told)
    try:
        application.serve(order)
    finally:
        # Python's own last steps would let one more signal kill it half way.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    return 0


if __name__ == "__main__":
    sys.exit(main())
