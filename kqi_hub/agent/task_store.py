"""Tasks on scratch, asked beside the loop."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from kqi_hub.agent.disk import on_disk
from kqi_hub.agent.errors import Problem
from kqi_hub.agent.task_folder import change_sent, end_unbegun, make_task, read_json
from kqi_hub.agent.task_views import task_list, task_view

P = ParamSpec("P")
T = TypeVar("T")
View = dict[str, Any]


class TaskStore:
    """The folders of one person's tasks; a disk that hangs is a Problem."""

    def __init__(self, root: Path, disk: ThreadPoolExecutor) -> None:
        self.root = root
        self._disk = disk

    async def all(self) -> list[View]:
        """Return the newest tasks."""
        return await self.do(task_list, self.root)

    async def one(self, task_id: str) -> View:
        """Return a task; Problem 404 if there is none."""
        found = await self.do(task_view, self.root, task_id)
        if found is None:
            raise Problem(404, "not-there", "There is no such task.")
        return found

    async def make(self, order: Mapping[str, object], sent: Mapping[str, Any]) -> str:
        """Write an order down and return its name."""
        return await self.do(make_task, self.root, order, sent)

    async def sent(self, task_id: str) -> View:
        """Return how a task was started."""
        return await self.do(read_json, self.root, task_id, "sent.json") or {}

    async def note(self, task_id: str, **changes: object) -> None:
        """Note something about how a task was started."""
        await self.do(change_sent, self.root, task_id, **changes)

    async def end_unbegun(self, task_id: str, state: str, error: object = None) -> None:
        """Write the end of a task that nobody began, so that nobody will."""
        await self.do(end_unbegun, self.root, task_id, state, error)

    async def do(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do what blocks."""
        return await on_disk(self._disk, work, *args, **kwargs)
