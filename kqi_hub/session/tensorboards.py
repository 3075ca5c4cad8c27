"""The TensorBoards of a session: one for each folder of logs, ended with it."""

import asyncio
import contextlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_READY_S: Final = 60.0
_LOOK_S: Final = 0.1
_END_S: Final = 3.0
_REMEMBERED: Final = 12
_LONGEST: Final = 1 << 16
_SAID: Final = 2000
_MODULE: Final = "kqi_hub.session.tensorboard_process"


class NoTensorBoard(Exception):
    """It cannot be started, or there is none; the message is for people."""


@dataclass(slots=True)
class Board:
    """A TensorBoard that runs."""

    number: int
    folder: Path
    place: Path  # a folder of its own, with the socket
    process: asyncio.subprocess.Process
    began_at: float

    @property
    def socket(self) -> Path:
        """Return what it listens on."""
        return self.place / "socket"

    @property
    def is_alive(self) -> bool:
        """Tell whether its process runs."""
        return self.process.returncode is None

    def said(self) -> str:
        """Return the end of what it wrote."""
        try:
            text = (self.place / "log").read_text(errors="replace")
        except OSError:
            return ""
        return text[-_SAID:]


class TensorBoards:
    """Starts them, knows them, ends them."""

    def __init__(
        self, root: Path, memory: Path, environment: Mapping[str, str]
    ) -> None:
        self._root, self._memory = root, memory
        self._environment = dict(environment)
        self._boards: dict[int, Board] = {}
        self._starts = asyncio.Lock()
        self._last = 0

    def running(self) -> list[Board]:
        """Return those that run, in the order of their numbers."""
        for board in [one for one in self._boards.values() if not one.is_alive]:
            self._forget(board)
        return list(self._boards.values())

    def one(self, number: int) -> Board:
        """Return one; NoTensorBoard when it does not run."""
        for board in self.running():
            if board.number == number:
                return board
        raise NoTensorBoard(f"TensorBoard {number} does not run (any more).")

    def shown(self, folder: Path) -> str:
        """Return a folder as people know it: below the files of the notebook."""
        try:
            return folder.relative_to(self._root.resolve()).as_posix()
        except ValueError:
            return str(folder)

    def remembered(self) -> list[str]:
        """Return folders that were looked at before, the latest first."""
        try:
            with self._memory.open(encoding="utf-8") as stream:
                found = json.loads(stream.read(_LONGEST))
            names = [str(name) for name in found["folders"]]
        except (OSError, ValueError, LookupError, TypeError):
            return []
        return [name for name in names if Path(name).is_dir()][:_REMEMBERED]

    async def start(self, wanted: str) -> Board:
        """Return the TensorBoard of a folder, started now if there is none."""
        folder = self.folder(wanted)
        async with self._starts:
            for board in self.running():
                if board.folder == folder:
                    return board
            board = await self._started(folder)
        await self._ready(board)
        self._remember(folder)
        return board

    def folder(self, wanted: str) -> Path:
        """Return the folder that is meant; NoTensorBoard says what is wrong with it."""
        if not wanted.isprintable() or len(wanted) > 4096:
            raise NoTensorBoard("The name of the folder is not one that can be used.")
        try:
            place = (self._root / wanted).resolve()
            is_folder = place.is_dir()
        except OSError as error:
            raise NoTensorBoard(f"{wanted}: {error.strerror}.") from error
        if not is_folder:
            raise NoTensorBoard(f"There is no folder {wanted or '.'}.")
        if not os.access(place, os.R_OK | os.X_OK):
            raise NoTensorBoard(f"You may not read the folder {wanted}.")
        return place

    async def stop(self, number: int) -> None:
        """End one."""
        board = self.one(number)
        with contextlib.suppress(ProcessLookupError):
            board.process.terminate()
        try:
            await asyncio.wait_for(board.process.wait(), _END_S)
        except TimeoutError:
            board.process.kill()
            await board.process.wait()
        self._forget(board)

    def end(self) -> None:
        """End all of them at once, without waiting."""
        for board in list(self._boards.values()):
            with contextlib.suppress(ProcessLookupError):
                board.process.kill()
            self._forget(board)

    async def _started(self, folder: Path) -> Board:
        place = Path(tempfile.mkdtemp(prefix="kqi-tensorboard-"))
        # What is its own, with no trace of other Pythons; see runner/environment.py.
        environment = self._environment | {"TMPDIR": str(place)}
        argv = [sys.executable, "-I", "-m", _MODULE, str(place / "socket"), str(folder)]
        with (place / "log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *argv,
                cwd=place,
                env=environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # What it makes, the socket above all, is its owner's alone.
                umask=0o077,
            )
        self._last += 1
        board = Board(self._last, folder, place, process, time.time())
        self._boards[board.number] = board
        return board

    async def _ready(self, board: Board) -> None:
        """Return as soon as it answers."""
        end = time.monotonic() + _READY_S
        while board.is_alive and time.monotonic() < end:
            try:
                _, writer = await asyncio.open_unix_connection(board.socket)
            except OSError:
                await asyncio.sleep(_LOOK_S)
                continue
            writer.close()
            return
        said = board.said().strip()
        if board.is_alive:
            await self.stop(board.number)
        self._forget(board)
        raise NoTensorBoard(f"TensorBoard did not start. It said: {said or 'nothing'}")

    def _forget(self, board: Board) -> None:
        self._boards.pop(board.number, None)
        shutil.rmtree(board.place, ignore_errors=True)

    def _remember(self, folder: Path) -> None:
        names = [name for name in self.remembered() if name != str(folder)]
        kept = {"folders": [str(folder), *names][:_REMEMBERED]}
        with contextlib.suppress(OSError):  # a full scratch: it is only a memory
            half = self._memory.with_suffix(".new")
            half.write_text(json.dumps(kept), encoding="utf-8")
            half.replace(self._memory)
