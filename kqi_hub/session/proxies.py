"""Lead a browser to what runs beside the server: TensorBoards, and one's own ports."""

import os
from typing import Any, Final

from jupyter_server.utils import url_path_join
from jupyter_server_proxy.handlers import LocalProxyHandler
from tornado import web

from kqi_hub.session.ports import listeners
from kqi_hub.session.tensorboards import NoTensorBoard, TensorBoards

_FOREIGN: Final = ("cross-site", "same-site")


class _Inward(LocalProxyHandler):
    """What is led to has forms of its own: no proof, but nothing from elsewhere."""

    def check_xsrf_cookie(self) -> None:
        """Refuse what a page of another site asks."""
        is_visit = self.request.headers.get("Sec-Fetch-Mode") == "navigate"
        is_visit = is_visit and self.request.method in ("GET", "HEAD")
        if self.request.headers.get("Sec-Fetch-Site") in _FOREIGN and not is_visit:
            raise web.HTTPError(403, "A page of another site may not ask this.")


class BoardHandler(_Inward):
    """kqi/tensorboard/NUMBER/…: to its socket."""

    def initialize(self, boards: TensorBoards) -> None:
        """Take the TensorBoards."""
        self._boards = boards

    async def proxy(self, port: str, proxied_path: str) -> Any:
        """Pass a question on."""
        try:
            board = self._boards.one(int(port))
        except NoTensorBoard as error:
            raise web.HTTPError(404, str(error)) from error
        if not proxied_path:
            self.redirect(f"{self.request.path}/")  # its own addresses are relative
            return None
        self.unix_socket = str(board.socket)
        self.proxy_base = f"kqi/tensorboard/{board.number}"
        # It looks anew by itself: that is nobody's use of the notebook.
        self.update_last_activity = False
        # It has no use for what opens the notebook.
        for name in ("Cookie", "Authorization", "X-XSRFToken"):
            self.request.headers.pop(name, None)
        return await super().proxy("0", proxied_path)

    async def open(self, port: str, proxied_path: str) -> None:
        """Refuse: it speaks no web sockets."""
        raise web.HTTPError(404)


class OwnPortHandler(_Inward):
    """proxy/PORT/…: to a program of one's own on this node, and to nobody else's.

    Somebody else's page at this address could do in it whatever its owner can.
    """

    async def prepare(self, *arguments: Any, **named: Any) -> None:
        """Look whose port it is, once it is sure who asks."""
        await super().prepare(*arguments, **named)
        if not self.current_user:
            return  # asked to log in
        port = int(self.path_args[0])
        users = listeners(port)
        if not users:
            raise web.HTTPError(404, f"Nothing listens on port {port} of this node.")
        if users != {os.geteuid()}:
            raise web.HTTPError(
                403, f"The program on port {port} of this node is not yours."
            )


def proxy_routes(base_url: str, boards: TensorBoards) -> list[tuple[Any, ...]]:
    """Return the routes below a server's address."""
    number, port, rest = r"([0-9]{1,6})", r"([0-9]{1,5})", r"(/.*|)"
    return [
        (
            url_path_join(base_url, f"kqi/tensorboard/{number}{rest}"),
            BoardHandler,
            {"boards": boards},
        ),
        (url_path_join(base_url, f"proxy/{port}{rest}"), OwnPortHandler),
        (
            url_path_join(base_url, f"proxy/absolute/{port}{rest}"),
            OwnPortHandler,
            {"absolute_url": True},
        ),
    ]
