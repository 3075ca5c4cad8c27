"""TensorBoard on a UNIX socket: `python -I -m kqi_hub.session.tensorboard_process`.

A port, even of loopback, is open to everybody on the node; this socket is in a folder
of its owner's, and only the notebook's server leads to it.
"""

import sys
from typing import Any, Final

from tensorboard.default import get_plugins
from tensorboard.program import TensorBoard, TensorBoardServer
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

_USAGE: Final = 64


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def address_string(self) -> str:
        """Return a name; a UNIX socket's other end has none."""
        return "notebook"

    def log_request(self, code: Any = "-", size: Any = "-") -> None:
        """Say nothing of what is asked."""


def main(arguments: list[str]) -> int:
    """Serve a folder of logs on a socket until told to stop."""
    if len(arguments) != 2:
        sys.stderr.write("How to run it: tensorboard_process SOCKET LOGDIR\n")
        return _USAGE
    address, folder = arguments

    class SocketServer(ThreadedWSGIServer, TensorBoardServer):
        """TensorBoard's server, somewhere else."""

        daemon_threads = True

        def __init__(self, wsgi_app: Any, flags: Any) -> None:
            super().__init__(f"unix://{address}", 0, wsgi_app, _Quiet)

        def get_url(self) -> str:
            """Return an address of the form that TensorBoard notes down for itself."""
            return "http://localhost:0/"

    program = TensorBoard(get_plugins(), server_class=SocketServer)
    # The fast reader would listen on a port of its own.
    program.configure(("tensorboard", f"--logdir={folder}", "--load_fast=false"))
    return int(program.main() or 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
