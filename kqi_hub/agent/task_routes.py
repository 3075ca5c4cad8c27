"""Tasks over HTTP: ordered, listed, followed, cancelled."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kqi_hub.agent.base import OwnerHandler
from kqi_hub.agent.errors import Problem
from kqi_hub.agent.follower import Event, Follower
from kqi_hub.agent.logfile import read_piece_of
from kqi_hub.agent.logs import TAIL_BYTES, Stream, piece_fields
from kqi_hub.agent.orders import read_order
from kqi_hub.agent.task_folder import is_task_id, log_names
from kqi_hub.agent.task_views import is_live, task_view


class TaskList(OwnerHandler):
    """GET and POST api/environments/tasks."""

    async def get(self) -> None:
        """Answer with the newest tasks."""
        self.answer({"tasks": await self.agent.tasks.all()})

    async def post(self) -> None:
        """Begin a task."""
        self.require_token()
        order = read_order(self.request.body)
        self.set_status(202)
        self.answer(await self.agent.tasks.begin(order))


class OneTask(OwnerHandler):
    """GET api/environments/tasks/ID."""

    async def get(self, task_id: str) -> None:
        """Answer with the task."""
        self.answer(await self.agent.tasks.one(checked_id(task_id)))


class CancelTask(OwnerHandler):
    """POST api/environments/tasks/ID/cancel."""

    async def post(self, task_id: str) -> None:
        """Cancel it and answer with it."""
        self.require_token()
        self.answer(await self.agent.tasks.cancel(checked_id(task_id)))


class CheckTask(OwnerHandler):
    """POST api/environments/tasks/ID/check."""

    async def post(self, task_id: str) -> None:
        """Ask Slurm once whether its job lives, and answer with it."""
        self.require_token()
        self.answer(await self.agent.tasks.check(checked_id(task_id)))


class TaskLog(OwnerHandler):
    """GET api/environments/tasks/ID/log?from=0."""

    async def get(self, task_id: str) -> None:
        """Answer with a piece of what it said."""
        names = log_names(checked_id(task_id))
        await self.agent.tasks.one(task_id)
        start = self.offset(-TAIL_BYTES)
        piece = await self.on_disk(read_piece_of, self.agent.told.folder, names, start)
        self.answer({"task": task_id, **piece_fields(piece)})


class FollowTask(Stream):
    """GET api/environments/tasks/ID/log/follow?from=0."""

    async def get(self, task_id: str) -> None:
        """Send log and state as they change, until the task has ended."""
        await self.agent.tasks.one(checked_id(task_id))
        root = self.agent.told.folder
        await self.stream(TaskLooker(root, task_id, self.start_offset()))


class TaskLooker:
    """Look at a task's log and state; over when it has ended and all was told."""

    def __init__(self, root: Path, task_id: str, start: int) -> None:
        self._root, self._id = root, task_id
        self._log = Follower(root, log_names(task_id), start, {"task": task_id})
        self._told: Mapping[str, Any] | None = None
        self.is_over = False

    @property
    def position(self) -> int:
        """Return how far the log is told."""
        return self._log.position

    @property
    def is_behind(self) -> bool:
        """Tell whether there is more of the log."""
        return self._log.is_behind

    def look(self) -> tuple[Event, ...]:
        """Return what is new. Blocks."""
        # The state first: what was written before its last word is in the log then.
        state = task_view(self._root, self._id)
        events = list(self._log.look())
        if state is None:
            raise FileNotFoundError
        if state != self._told:
            self._told = state
            events.append(Event("state", state))
        has_more = any(event.name in {"log", "restarted"} for event in events)
        self.is_over = not is_live(state) and not has_more
        return tuple(events)


def checked_id(task_id: str) -> str:
    """Return it if tasks are called so; nothing else comes near a path."""
    if not is_task_id(task_id):
        raise Problem(404, "not-there", "There is no such task.")
    return task_id
