"""Notebooks, as answers and as calls of the client."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from kqi_hub.sdk.calls import Calls, part
from kqi_hub.sdk.data import pages
from kqi_hub.sdk.models import Answer, known


@dataclass(frozen=True, slots=True)
class NotebookSession(Answer):
    """One run of a notebook; `reached` are phases with their times."""

    id: int
    job_id: int | None = None
    job_name: str = ""
    phase: str = "asked"
    reached: tuple[tuple[str, float], ...] = ()
    node: str = ""
    asked_at: float = 0.0
    is_stopping: bool = False
    ended_at: float | None = None
    cause: str | None = None
    detail: str = ""
    detail_text: str = ""
    exit_code: int | None = None
    seen: Mapping[str, int] = field(default_factory=dict)

    @property
    def end(self) -> str:
        """Return how it ended: in words, Slurm's own word in brackets behind."""
        if not self.detail_text or self.detail_text == self.detail:
            return self.detail
        return f"{self.detail_text} ({self.detail})"

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Self:
        """Make it from JSON."""
        reached = tuple((one["phase"], one["at"]) for one in said.get("reached", ()))
        return cls(**{**known(cls, said), "reached": reached})


@dataclass(frozen=True, slots=True)
class PastSession(NotebookSession):
    """One run of a notebook in its history; `price` as the portal says."""

    queue: str = ""
    began_at: float | None = None
    ran_s: float | None = None
    price: Mapping[str, Any] | None = None
    cost_micro: int | None = None
    # It has ended, and the bill has it so; else reckoned from what is known.
    is_billed: bool = False


@dataclass(frozen=True, slots=True)
class Notebook(Answer):
    """A notebook as it is now; `choices`, `waiting` and `price` as the portal says."""

    id: int
    owner: str
    tenant: str
    choices: Mapping[str, Any]
    status: str
    is_favourite: bool = False
    is_live: bool = False
    created_at: float = 0.0
    changed_at: float = 0.0
    session: NotebookSession | None = None
    waiting: Mapping[str, Any] | None = None
    ends_at: float | None = None
    left_s: float | None = None
    price: Mapping[str, Any] | None = None
    cost_micro: int | None = None
    # It has ended, and the bill has it so; else reckoned from what is known.
    is_billed: bool = False
    page: str = ""
    actions: tuple[str, ...] = ()
    # How old what Slurm said is; only where one notebook is asked for.
    picture: Mapping[str, Any] | None = None
    # Other jobs on its node, where there are some; likewise.
    neighbours: Mapping[str, Any] | None = None

    @property
    def name(self) -> str:
        """Return what its owner calls it."""
        return str(self.choices["name"])

    @property
    def is_ready(self) -> bool:
        """Tell whether it can be opened."""
        return self.status == "running"

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Self:
        """Make it from JSON."""
        session = said.get("session")
        return cls(
            **{
                **known(cls, said),
                "session": NotebookSession.read(session) if session else None,
                "actions": tuple(said.get("actions", ())),
            }
        )


@dataclass(frozen=True, slots=True)
class NotebookCheck(Answer):
    """What a notebook would meet if it were started now."""

    is_possible: bool
    objections: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()
    wait: str = "unknown"
    wait_s: int | None = None
    price: Mapping[str, Any] | None = None
    # In millionths: of the time asked for; what the tenant has left this month.
    cost_micro: int | None = None
    left_micro: int | None = None


@dataclass(frozen=True, slots=True)
class Way(Answer):
    """A way to a server of one's own, with a token that opens it for a short time."""

    url: str
    lifetime_s: int = 0
    token: str = field(default="", repr=False)


class NotebookCalls(Calls):
    """The part of `Client` for notebooks."""

    def notebooks(
        self, most: int | None = None, **wanted: object
    ) -> tuple[Notebook, ...]:
        """Return one's own, favourites first, filtered as the REST interface does."""
        return _read(pages(self, "notebooks", "notebooks", most, wanted))

    def tenant_notebooks(
        self, tenant: str, most: int | None = None, **wanted: object
    ) -> tuple[Notebook, ...]:
        """Return everybody's in a tenant, for its managers, filtered likewise."""
        path = f"tenants/{part(tenant)}/notebooks"
        return _read(pages(self, path, "notebooks", most, wanted))

    def notebook(self, notebook_id: int) -> Notebook:
        """Return one of one's own."""
        return Notebook.read(self._api("GET", f"notebooks/{notebook_id}"))

    def notebook_named(self, name: str) -> Notebook | None:
        """Return one's own of this name, None if there is none."""
        found = self.notebooks(name=name)
        return next((one for one in found if one.name == name), None)

    def create_notebook(self, tenant: str, choices: Mapping[str, object]) -> Notebook:
        """Make one in a tenant; nothing starts."""
        path = f"tenants/{part(tenant)}/notebooks"
        return Notebook.read(self._api("POST", path, choices))

    def check_notebook(
        self, tenant: str, choices: Mapping[str, object]
    ) -> NotebookCheck:
        """Return what such a notebook would cost and meet; nothing is kept."""
        path = f"tenants/{part(tenant)}/notebooks/check"
        return NotebookCheck.read(self._api("POST", path, choices))

    def change_notebook(
        self, notebook: Notebook, changes: Mapping[str, object]
    ) -> Notebook:
        """Change some of the choices of a notebook as it was seen."""
        path = f"notebooks/{notebook.id}"
        return Notebook.read(self._api("PUT", path, _changed(notebook, changes)))

    def start_notebook(self, notebook_id: int) -> Notebook:
        """Start it, or return it as it is if it waits or runs already."""
        return Notebook.read(self._api("POST", f"notebooks/{notebook_id}/start"))

    def rerun_notebook(
        self, notebook: Notebook, changes: Mapping[str, object]
    ) -> Notebook:
        """Change one that does not run, and start it."""
        path = f"notebooks/{notebook.id}/rerun"
        return Notebook.read(self._api("POST", path, _changed(notebook, changes)))

    def stop_notebook(self, notebook_id: int) -> Notebook:
        """Stop it, or cancel its start."""
        return Notebook.read(self._api("POST", f"notebooks/{notebook_id}/stop"))

    def copy_notebook(self, notebook_id: int, name: str = "") -> Notebook:
        """Make one with the same choices; a free name is found if none is given."""
        path = f"notebooks/{notebook_id}/copy"
        return Notebook.read(self._api("POST", path, {"name": name}))

    def delete_notebook(self, notebook_id: int) -> None:
        """Delete it with its history; files of the workspace stay."""
        self._api("DELETE", f"notebooks/{notebook_id}")

    def mark_notebook(self, notebook_id: int, is_favourite: bool) -> None:
        """Put it first in the list, or let it go."""
        body = {"is_favourite": is_favourite}
        self._api("PUT", f"notebooks/{notebook_id}/favourite", body)

    def notebook_sessions(
        self, notebook_id: int, most: int = 20
    ) -> tuple[PastSession, ...]:
        """Return what has run of it with its costs, newest first."""
        said = self._api("GET", f"notebooks/{notebook_id}/sessions?most={int(most)}")
        return tuple(PastSession.read(s) for s in said["sessions"])

    def open_notebook(self, notebook_id: int) -> Way:
        """Return the way into one that is ready."""
        return Way.read(self._api("POST", f"notebooks/{notebook_id}/open"))

    def agent(self) -> Way:
        """Start one's agent, which follows logs, and return the way to it."""
        return Way.read(self._api("POST", "agent"))


def _changed(notebook: Notebook, changes: Mapping[str, object]) -> dict[str, object]:
    seen = {"changed_at": notebook.changed_at, "tenant": notebook.tenant}
    return {**notebook.choices, **changes, **seen}


def _read(said: Iterator[Mapping[str, Any]]) -> tuple[Notebook, ...]:
    return tuple(map(Notebook.read, said))
