"""Conda environments, as answers and as calls; the person's own agent answers them."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self
from urllib.parse import quote

import httpx2

from kqi_hub.sdk.calls import Calls
from kqi_hub.sdk.errors import NotReachable, Refused
from kqi_hub.sdk.models import Answer, known
from kqi_hub.sdk.notebooks import Way

START_S: Final = 30.0
_PAUSE_S: Final = 0.5
_ENDED: Final = frozenset({"done", "failed", "refused", "cancelled"})


@dataclass(frozen=True, slots=True)
class Environment(Answer):
    """A conda environment; `why`, `kernels` and `size` as the agent says."""

    name: str
    path: str = ""
    state: str = ""
    why: Mapping[str, str] | None = None
    base: str | None = None
    lock_sha256: str | None = None
    outdated: bool = False
    made_at: str | None = None
    used_at: str | None = None
    python: str | None = None
    packages: int = 0
    kernels: tuple[Mapping[str, str], ...] = ()
    size: Mapping[str, Any] | None = None
    is_default: bool = False
    has_saved_packages: bool = False
    old_kept: bool = False
    task: str | None = None


@dataclass(frozen=True, slots=True)
class EnvironmentTask(Answer):
    """Work on an environment, and how far it is."""

    id: str
    operation: str = ""
    name: str = ""
    state: str = ""
    phase: str = ""
    text: str = ""
    done: int | None = None
    total: int | None = None
    bytes: int | None = None
    asked_at: float | None = None
    began_at: float | None = None
    ended_at: float | None = None
    run_on: str = ""
    queue: str = ""
    tenant: str = ""
    job_id: int | None = None
    host: str = ""
    error: Mapping[str, str] | None = None
    result: Mapping[str, Any] | None = None

    @property
    def is_over(self) -> bool:
        """Tell whether it has ended."""
        return self.state in _ENDED


@dataclass(frozen=True, slots=True)
class EnvironmentList(Answer):
    """All environments, the tasks under way, the room, and the site's rules."""

    environments: tuple[Environment, ...]
    tasks: tuple[EnvironmentTask, ...] = ()
    room: Mapping[str, Any] = field(default_factory=dict)
    run_on: str = "job"
    queue: str = ""

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Self:
        """Make it from JSON."""
        deeper = {
            "environments": tuple(Environment.read(e) for e in said["environments"]),
            "tasks": tuple(EnvironmentTask.read(t) for t in said["tasks"]),
        }
        return cls(**{**known(cls, said), **deeper})


class EnvironmentCalls(Calls):
    """The part of `Client` for environments; it starts the person's agent."""

    _way: Way | None = None
    _renew_at: float = 0.0

    def environments(self) -> EnvironmentList:
        """Return all of one's own, also broken ones and those being made."""
        return EnvironmentList.read(self._agent_json("GET", "environments"))

    def environment_bases(self) -> tuple[Mapping[str, Any], ...]:
        """Return what the site offers to begin from."""
        return tuple(self._agent_json("GET", "environments/bases")["bases"])

    def order_environment(
        self, operation: str, name: str, **options: object
    ) -> EnvironmentTask:
        """Begin setup, create, reset, delete, verify, repair, bring-back or plugins.

        Options are those of the agent's interface: base, yml, lock, explicit, import,
        bring_back; queue, tenant, run_on. Refused with the code `busy` while another
        task works on the environment.
        """
        given = {key: value for key, value in options.items() if value is not None}
        asked = {"operation": operation, "name": name, **given}
        return EnvironmentTask.read(
            self._agent_json("POST", "environments/tasks", asked)
        )

    def environment_tasks(self) -> tuple[EnvironmentTask, ...]:
        """Return the newest tasks, ended ones too."""
        said = self._agent_json("GET", "environments/tasks")
        return tuple(EnvironmentTask.read(one) for one in said["tasks"])

    def environment_task(self, task_id: str) -> EnvironmentTask:
        """Return a task."""
        return EnvironmentTask.read(self._agent_json("GET", _task(task_id)))

    def cancel_environment_task(self, task_id: str) -> EnvironmentTask:
        """Cancel a task; one that has ended stays as it is."""
        path = f"{_task(task_id)}/cancel"
        return EnvironmentTask.read(self._agent_json("POST", path))

    def check_environment_task(self, task_id: str) -> EnvironmentTask:
        """Ask Slurm once whether the job of a task still lives."""
        path = f"{_task(task_id)}/check"
        return EnvironmentTask.read(self._agent_json("POST", path))

    def environment_log(self, task_id: str, start: int = 0) -> Mapping[str, Any]:
        """Return a piece of what a task said: `text`, `from`, `to`, `size`."""
        path = f"{_task(task_id)}/log?from={start}"
        found: Mapping[str, Any] = self._agent_json("GET", path)
        return found

    def export_environment(self, name: str, form: str = "yml") -> str:
        """Return an environment as yml, explicit, pip or lock."""
        path = f"environments/{quote(name, safe='')}/export?format={quote(form)}"
        return self._agent("GET", path).text

    def set_default_environment(self, name: str) -> None:
        """Let new notebooks begin with it."""
        self._agent_json("PUT", "environments/default", {"name": name})

    def count_environment(self, name: str) -> None:
        """Have its size counted; the list tells when it is known."""
        self._agent_json("POST", "environments/sizes", {"name": name})

    def examples(self) -> tuple[Mapping[str, Any], ...]:
        """Return the example notebooks."""
        return tuple(self._agent_json("GET", "examples")["examples"])

    def copy_examples(self, names: Sequence[str]) -> tuple[str, ...]:
        """Copy examples into the workspace; return the paths, none overwritten."""
        made = self._agent_json("POST", "examples", {"names": list(names)})["made"]
        return tuple(made)

    def _agent_json(
        self, method: str, path: str, body: Mapping[str, object] | None = None
    ) -> Any:
        return self._agent(method, path, body).json()

    def _agent(
        self, method: str, path: str, body: Mapping[str, object] | None = None
    ) -> httpx2.Response:
        """Ask the agent; while it starts, the hub answers in its place."""
        until = time.monotonic() + START_S
        while True:
            way = self._known_way()
            answer = self._fetch(method, f"{way.url}api/{path}", way.token, body)
            if answer.is_success and not _is_page(answer):
                return answer
            refusal = _refusal(answer)
            if refusal is not None:
                raise refusal
            self._way = None
            if time.monotonic() > until:
                raise NotReachable(
                    f"Your agent does not start ({answer.status_code}).",
                    "Try again; if it stays so, tell the operators.",
                )
            time.sleep(_PAUSE_S)

    def _known_way(self) -> Way:
        if self._way is None or time.monotonic() > self._renew_at:
            self._way = Way.read(self._api("POST", "agent"))
            self._renew_at = time.monotonic() + self._way.lifetime_s / 2
        return self._way


class EnvironmentRefused(Refused):
    """The agent says no; `task` is the one that is in the way, if one is."""

    def __init__(self, status: int, said: Mapping[str, Any]) -> None:
        texts = [str(said.get(name) or "") for name in ("error", "message", "hint")]
        super().__init__(status, *texts)
        self.task = str(said.get("task") or "")


def _task(task_id: str) -> str:
    return f"environments/tasks/{quote(task_id, safe='')}"


def _is_page(answer: httpx2.Response) -> bool:
    return "text/html" in answer.headers.get("Content-Type", "")


def _refusal(answer: httpx2.Response) -> EnvironmentRefused | None:
    """Return what the agent itself refuses; None when something else answered."""
    try:
        said = answer.json()
    except ValueError:
        return None
    if not isinstance(said, dict) or "error" not in said:
        return None
    return EnvironmentRefused(answer.status_code, said)
