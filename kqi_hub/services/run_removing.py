"""Remove what deleted runs have left behind: first their TensorBoards end."""

import asyncio
import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from kqi_hub.domain.errors import NoSuchJob
from kqi_hub.services.run_world import RunWorld

# As a person's agent names their jobs (kqi_hub/agent/inside/boards.py).
_BOARD: Final = re.compile(r"tensorboard-([1-9][0-9]{0,14})-[a-z2-7]{26}", re.ASCII)


async def remove_folders(world: RunWorld, owner: str, folders: Sequence[str]) -> None:
    """End the TensorBoards of a person's deleted runs, then remove their folders.

    Raises what keeps one of them; all of it can be done again.
    """
    await _end_boards(world, owner, {one.rpartition("/")[2] for one in folders})
    await world.outputs.remove(owner, folders)


async def _end_boards(world: RunWorld, owner: str, numbers: set[str]) -> None:
    live = await asyncio.to_thread(world.picture.live_jobs, owner)
    boards = ((_BOARD.fullmatch(job.name), job.job_id) for job in live)
    due: list[int | str] = [
        number for board, number in boards if board and board[1] in numbers
    ]
    if due:
        with suppress(NoSuchJob):
            await world.slurm.cancel(owner, due)
