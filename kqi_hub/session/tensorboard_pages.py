"""The TensorBoard page and its interface: kqi/tensorboards."""

import json
from typing import Any

from jupyter_server.auth.decorator import authorized
from jupyter_server.utils import url_path_join
from tornado import web

from kqi_hub.session.pages import ToolPage
from kqi_hub.session.tensorboards import Board, NoTensorBoard, TensorBoards


class _BoardPage(ToolPage):
    def initialize(self, boards: TensorBoards) -> None:
        """Take the TensorBoards."""
        self.boards = boards

    @property
    def is_program(self) -> bool:
        """Tell whether a program asks, which speaks JSON."""
        kind = self.request.headers.get("Content-Type", "")
        accepted = self.request.headers.get("Accept", "")
        return "application/json" in (kind.partition(";")[0].strip(), accepted.strip())

    def wanted(self, name: str) -> str:
        """Return one value of the form or of the JSON."""
        if not self.is_program:
            return str(self.get_body_argument(name, "", strip=False))
        try:
            return str(json.loads(self.request.body or b"{}").get(name, ""))
        except (ValueError, AttributeError) as error:
            raise web.HTTPError(400, "The body is not a JSON object.") from error

    def address(self, board: Board) -> str:
        """Return where a browser finds one."""
        place = f"kqi/tensorboard/{board.number}/"
        return str(url_path_join(self.base_url, place))

    def told(self, board: Board) -> dict[str, object]:
        """Return what programs are told of one."""
        return {
            "number": board.number,
            "logdir": str(board.folder),
            "path": self.address(board),
            "began_at": int(board.began_at),
        }

    def answer(self, status: int, body: object) -> None:
        """Answer a program."""
        self.set_status(status)
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps(body))

    def refuse(self, error: NoTensorBoard, folder: str = "") -> None:
        """Say what is wrong."""
        if self.is_program:
            self.answer(400, {"message": str(error)})
        else:
            self.show_boards(folder, str(error), 400)

    def show_boards(self, folder: str, problem: str = "", status: int = 200) -> None:
        """Answer with the page."""
        self.show(
            "tensorboards",
            status=status,
            boards=self.boards.running(),
            remembered=self.boards.remembered(),
            shown=self.boards.shown,
            folder=folder,
            problem=problem,
        )


class BoardsHandler(_BoardPage):
    """GET kqi/tensorboards, and POST to start one or to find the one that runs."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Show those that run."""
        if self.is_program:
            self.answer(200, {"tensorboards": [*map(self.told, self.boards.running())]})
            return
        self.show_boards(self.get_query_argument("logdir", ""))

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Start one; a browser is led to it."""
        folder = self.wanted("logdir")
        try:
            board = await self.boards.start(folder)
        except NoTensorBoard as error:
            self.refuse(error, folder)
            return
        if self.is_program:
            self.answer(201, self.told(board))
        else:
            self.redirect(self.address(board), status=303)


class StopBoardHandler(_BoardPage):
    """POST kqi/tensorboards/stop."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Stop one."""
        number = self.wanted("number")
        try:
            await self.boards.stop(int(number) if number.isdecimal() else -1)
        except NoTensorBoard as error:
            self.refuse(error)
            return
        if self.is_program:
            self.answer(200, {})
        else:
            self.redirect(url_path_join(self.base_url, "kqi/tensorboards"), status=303)


def board_routes(base_url: str, boards: TensorBoards) -> list[tuple[Any, ...]]:
    """Return the routes below a server's address."""
    given = {"boards": boards}
    return [
        (url_path_join(base_url, "kqi/tensorboards"), BoardsHandler, given),
        (url_path_join(base_url, "kqi/tensorboards/stop"), StopBoardHandler, given),
    ]
