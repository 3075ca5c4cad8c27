"""Conda environments, as answers and as calls; the person's own agent answers them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self
from urllib.parse import quote

from kqi_hub.sdk.agent_calls import AgentCalls
from kqi_hub.sdk.models import Answer, known

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


class EnvironmentCalls(AgentCalls):
    """The part of `Client` for environments; it starts the person's agent."""

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


def _task(task_id: str) -> str:
    return f"environments/tasks/{quote(task_id, safe='')}"
