"""FakeAgent: an agent as the pages meet it, with environments in every state.

It answers in the browser, in place of the network; a real agent with real environments
is in tests/cluster/test_environments.py.
"""

import json
import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from playwright.sync_api import BrowserContext, Page, Route

WAY = {"url": "user/mia/agent/", "token": "mine-alone", "lifetime_s": 600}
TASK = "20261121T090000-aaaaaaa{}"


def environment(name: str, **about: object) -> dict[str, Any]:
    """Return one that is whole."""
    return {
        "name": name, "path": f"/scratch/mia/.conda/envs/{name}", "state": "ready",
        "why": None, "base": "notebook", "lock_sha256": "ab12", "outdated": False,
        "made_at": "2026-11-20T09:00:00Z", "used_at": None, "python": "3.11.7",
        "packages": 120, "kernels": [{"name": name, "title": f"Python 3.11 ({name})"}],
        "size": None, "is_default": False, "has_saved_packages": False,
        "old_kept": False, "task": None,
    } | about  # fmt: skip


SIZE = {
    "bytes": 534_773_760, "own_bytes": 18_874_368, "files": 26_030, "own_files": 2_494,
    "counted_at": "2026-11-21T08:00:00Z",
}  # fmt: skip
EVERY = (
    environment(
        "notebook", is_default=True, used_at="2026-11-21T08:30:00Z", size=SIZE,
        has_saved_packages=True, outdated=True,
    ),
    environment("torch-2.5", base="pytorch", packages=96),
    environment(
        "old-one", state="broken", kernels=[],
        why={"code": "no_python", "text": "Its Python does not start: bin/python is "
             "not there. A repair makes it anew from the same packages."},
    ),
    environment("MyOwn_env", state="foreign", base=None, packages=33),
    environment(
        "being-made", state="making", base=None, packages=0, kernels=[], python=None,
        made_at=None,
    ),
    environment("手書き" * 10, state="foreign", base=None, packages=3, kernels=[]),
)  # fmt: skip
BASES = (
    {"name": "notebook", "title": "Notebook", "about": "Jupyter, numpy, matplotlib.",
     "python": "3.11", "packages": 120, "download_bytes": 133_000_000,
     "installed_bytes": 534_773_760, "installed_files": 26_030, "is_default": True},
    {"name": "minimal", "title": "Minimal", "about": "Python and a kernel.",
     "python": "3.11", "packages": 22, "download_bytes": 31_000_000,
     "installed_bytes": 96_000_000, "installed_files": 5_100, "is_default": False},
)  # fmt: skip


def task(number: int = 0, **about: object) -> dict[str, Any]:
    """Return a task that was just asked for."""
    return {
        "id": TASK.format("abcdefg"[number]), "operation": "create", "name": "fresh",
        "state": "asked", "error": None, "run_on": "job", "queue": "jupyter",
        "tenant": "vision", "asked_at": time.time() - 30, "job_id": None,
        "result": None, "phase": "", "text": "", "host": "", "done": None,
        "total": None, "bytes": None, "began_at": None, "ended_at": None,
    } | about  # fmt: skip


class FakeAgent:
    """What the agent knows; tests change it while the page looks."""

    def __init__(self, *environments: dict[str, Any]) -> None:
        self.environments = list(environments)
        self.tasks: list[dict[str, Any]] = []
        self.logs: dict[str, str] = {}
        self.run_on = "job"
        self.queue = ""
        self.bases = list(BASES)
        self.orders: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.refuses: tuple[int, dict[str, Any]] | None = None
        self.is_starting = False
        self.default = ""

    def serve(self, place: Page | BrowserContext) -> None:
        """Answer a page's questions."""
        place.route("**/api/v1/agent", lambda route: _json(route, WAY))
        place.route("**/user/mia/agent/**", self._answer)

    def tell(self, task_id: str, **changes: object) -> None:
        """Let a task come further."""
        next(one for one in self.tasks if one["id"] == task_id).update(changes)

    def _answer(self, route: Route) -> None:
        address = urlsplit(route.request.url)
        path = unquote(address.path.split("/agent/", 1)[1])
        self.asked.append(f"{route.request.method} {path}")
        if route.request.headers.get("authorization") != "Bearer mine-alone":
            return _json(route, {"error": "not-yours", "message": "no"}, 403)
        if self.is_starting:
            return route.fulfill(
                status=503, body="<p>starting", content_type="text/html"
            )
        for form, how in self._routes().items():
            found = re.fullmatch(form, path)
            if found:
                return how(route, parse_qs(address.query), *found.groups())
        return _json(route, {"error": "not-found", "message": "no such address"}, 404)

    def _routes(self) -> dict[str, Callable[..., None]]:
        return {
            "api/environments": self._list,
            "api/environments/bases": lambda route, _: _json(
                route, {"bases": self.bases}
            ),
            "api/environments/default": self._keep_default,
            "api/environments/sizes": lambda route, _: _json(route, {}, 202),
            "api/environments/tasks": self._tasks,
            r"api/environments/tasks/([^/]+)/log/follow": self._follow,
            r"api/environments/tasks/([^/]+)/cancel": self._cancel,
            r"api/environments/tasks/([^/]+)/check": self._check,
            r"api/environments/([^/]+)/export": self._export,
            "api/examples": self._examples,
        }

    def _list(self, route: Route, _: object) -> None:
        live = [one for one in self.tasks if one["state"] in _LIVE]
        answer = {
            "environments": self.environments, "tasks": live, "queue": self.queue,
            "room": {"free_bytes": 2_199_023_255_552, "free_files": 1_234_567},
            "run_on": self.run_on,
        }  # fmt: skip
        _json(route, answer)

    def _tasks(self, route: Route, _: object) -> None:
        if route.request.method == "GET":
            return _json(route, {"tasks": self.tasks})
        order = json.loads(route.request.post_data or "")
        self.orders.append(order)
        if self.refuses:
            status, said = self.refuses
            return _json(route, said, status)
        made = task(
            len(self.tasks), operation=order["operation"], name=order["name"],
            state="waiting", job_id=101,
        )  # fmt: skip
        self.tasks.insert(0, made)
        return _json(route, made, 202)

    def _follow(self, route: Route, query: dict[str, list[str]], task_id: str) -> None:
        found = next((one for one in self.tasks if one["id"] == task_id), None)
        if found is None:
            missing = {"error": "not-there", "message": "There is no such task."}
            return _json(route, missing, 404)
        log, start = self.logs.get(task_id, ""), int(query["from"][0])
        events = ""
        if log[start:]:
            said = {
                "from": start,
                "to": len(log),
                "size": len(log),
                "text": log[start:],
            }
            events = f"event: log\ndata: {json.dumps(said)}\n\n"
        events += f"event: state\ndata: {json.dumps(found)}\n\n"
        return route.fulfill(body=events, content_type="text/event-stream")

    def _cancel(self, route: Route, _: object, task_id: str) -> None:
        self.tell(task_id, state="cancelled", ended_at=time.time())
        _json(route, next(one for one in self.tasks if one["id"] == task_id))

    def _check(self, route: Route, _: object, task_id: str) -> None:
        _json(route, next(one for one in self.tasks if one["id"] == task_id))

    def _export(self, route: Route, query: dict[str, list[str]], name: str) -> None:
        form = query["format"][0]
        route.fulfill(
            body=f"{form} of {name}\n",
            headers={"Content-Disposition": f'attachment; filename="kept.{form}"'},
        )

    def _examples(self, route: Route, _: object) -> None:
        if route.request.method == "GET":
            found = [{"name": "iris_ex", "title": "Iris: a first look"}]
            return _json(route, {"examples": found})
        [name] = json.loads(route.request.post_data or "")["names"]
        return _json(route, {"made": [f"/scratch/mia/workspace/{name}-1.ipynb"]}, 201)

    def _keep_default(self, route: Route, _: object) -> None:
        self.default = json.loads(route.request.post_data or "")["name"]
        for one in self.environments:
            one["is_default"] = one["name"] == self.default
        _json(route, {"name": self.default})


_LIVE = frozenset({"asked", "waiting", "running"})


def _json(route: Route, said: object, status: int = 200) -> None:
    route.fulfill(status=status, body=json.dumps(said), content_type="application/json")
