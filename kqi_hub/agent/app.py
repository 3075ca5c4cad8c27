"""The agent's routes: a new subject is a module of handlers and its lines here."""

import os
import resource
from pathlib import Path
from typing import Any

from tornado.web import Application

from kqi_hub.agent.base import Agent, Handler, OwnerHandler
from kqi_hub.agent.environments import (
    Bases,
    Default,
    Environments,
    Examples,
    Export,
    Sizes,
)
from kqi_hub.agent.errors import Problem
from kqi_hub.agent.files.browsing import List, RootList, Stat, View
from kqi_hub.agent.files.changes import (
    CancelWork,
    Delete,
    Folder,
    Move,
    OneWork,
    Text,
    WorkList,
)
from kqi_hub.agent.files.fetching import Archive, Count
from kqi_hub.agent.files.offers import Offer
from kqi_hub.agent.files.receiving import Content
from kqi_hub.agent.inside.board_routes import Board, OpenBoard
from kqi_hub.agent.inside.ports import AbsolutePort, Port
from kqi_hub.agent.inside.run_states import RunStateHandler
from kqi_hub.agent.inside.run_use import RunUseHandler
from kqi_hub.agent.inside.terminal_routes import OneTerminal, Socket, TerminalList
from kqi_hub.agent.login import Callback
from kqi_hub.agent.logs import Follow, Log, Search
from kqi_hub.agent.runs import Run
from kqi_hub.agent.task_routes import (
    CancelTask,
    CheckTask,
    FollowTask,
    OneTask,
    TaskList,
    TaskLog,
)


class Health(OwnerHandler):
    """GET api/health: that it works, and what it costs."""

    async def get(self) -> None:
        """Answer."""
        self.answer(
            {
                "person": self.agent.told.person,
                "pid": os.getpid(),
                "streams": self.agent.use.streams,
                "ends_in_s": round(self.agent.use.left_s),
                "memory_mb": _memory_mb(),
            }
        )


def _memory_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return round(pages * resource.getpagesize() / 1024**2, 1)


class Nothing(Handler):
    """Every other address."""

    def prepare(self) -> None:
        """Say so, whatever the method."""
        raise Problem(404, "not-found", "The agent has no such address.")


def make_app(agent: Agent) -> Application:
    """Return the application."""
    base = agent.told.base
    routes: list[Any] = [
        ("oauth_callback", Callback),
        ("api/health", Health),
        ("api/log", Log),
        ("api/log/follow", Follow),
        ("api/log/search", Search),
        ("api/run", Run),
        ("api/runs/([^/]+)/([^/]+)/state", RunStateHandler),
        ("api/runs/([^/]+)/([^/]+)/use", RunUseHandler),
        ("api/runs/([^/]+)/([^/]+)/tensorboard", Board),
        ("api/terminals", TerminalList),
        ("api/terminals/([^/]+)", OneTerminal),
        ("terminals/([^/]+)", Socket),
        ("tensorboard/([^/]+)(?:/.*)?", OpenBoard),
        ("proxy/absolute/([^/]+)/([^/]+)(?:/.*)?", AbsolutePort),
        ("proxy/([^/]+)/([^/]+)(?:/.*)?", Port),
        ("api/environments", Environments),
        ("api/environments/bases", Bases),
        ("api/environments/default", Default),
        ("api/environments/sizes", Sizes),
        ("api/environments/([^/]+)/export", Export),
        ("api/environments/tasks", TaskList),
        ("api/environments/tasks/([^/]+)", OneTask),
        ("api/environments/tasks/([^/]+)/cancel", CancelTask),
        ("api/environments/tasks/([^/]+)/check", CheckTask),
        ("api/environments/tasks/([^/]+)/log", TaskLog),
        ("api/environments/tasks/([^/]+)/log/follow", FollowTask),
        ("api/examples", Examples),
        ("api/files/roots", RootList),
        ("api/files/list", List),
        ("api/files/stat", Stat),
        ("api/files/view", View),
        ("api/files/content", Content),
        ("api/files/archive", Archive),
        ("api/files/folder", Folder),
        ("api/files/move", Move),
        ("api/files/delete", Delete),
        ("api/files/text", Text),
        ("api/files/use", Count),
        ("api/files/offer", Offer),
        ("api/files/offer/([^/]+)", OneWork),
        ("api/files/work", WorkList),
        ("api/files/work/([^/]+)", OneWork),
        ("api/files/work/([^/]+)/cancel", CancelWork),
    ]
    return Application(
        [(base + path, handler) for path, handler in routes],
        default_handler_class=Nothing,
        agent=agent,
        log_function=lambda handler: None,  # the proxy keeps the list of requests
    )
