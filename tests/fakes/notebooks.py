"""Notebooks in memory: stores, a hub that starts whatever it is asked for."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from kqi_hub.domain.errors import Conflict, HubUnavailable, NotFound
from kqi_hub.domain.notebook_list import NotebookColumn, NotebookFilter, status_of
from kqi_hub.domain.notebook_ports import SessionEnd
from kqi_hub.domain.notebooks import (
    Cause,
    Choices,
    Notebook,
    NotebookRules,
    Phase,
    Session,
    Shape,
)
from kqi_hub.services.notebook_datasets import NotebookDatasets
from kqi_hub.services.notebook_parents import NotebookParents
from kqi_hub.services.notebooks import Notebooks
from kqi_hub.services.queues import Queues
from tests.fakes.datasets import FakeDatasets
from tests.fakes.login import FakeAuditLog
from tests.fakes.people import FakeAssociations, association
from tests.fakes.queues import PRESETS, FakeQueues
from tests.fakes.runs import FakeRunStore

CHOICES = Choices("first", "vision", "jupyter", Shape(2, 8192), 4 * 3600)
STOPPED, RUNNING = 1, 2
_KEYS: dict[NotebookColumn, Callable[[Notebook], Any]] = {
    NotebookColumn.NAME: lambda one: one.choices.name,
    NotebookColumn.QUEUE: lambda one: one.choices.queue,
    NotebookColumn.CREATED_AT: lambda one: one.created_at,
    NotebookColumn.CREATED_BY: lambda one: one.owner,
}


@dataclass
class FakeNotebookStore:
    """A NotebookStore and SessionStore in one, each session kept with its notebook."""

    notebooks: dict[int, Notebook] = field(default_factory=dict)
    all_sessions: dict[int, Session] = field(default_factory=dict)
    clock: float = 0.0

    def create(self, owner: str, choices: Choices, now: float) -> Notebook:
        self._refuse_taken(owner, choices.name)
        number = max(self.notebooks, default=0) + 1
        made = Notebook(number, owner, choices, now, now)
        self.notebooks[number] = made
        return made

    def one(self, notebook_id: int) -> Notebook | None:
        found = self.notebooks.get(notebook_id)
        if found is None:
            return None
        past = self.sessions(notebook_id, 1)
        return replace(found, session=past[0] if past else None)

    def page(
        self, owner: str, limit: int = 100, before: int | None = None
    ) -> tuple[Notebook, ...]:
        found, _ = self.search(NotebookFilter(owner=owner, limit=10_000))
        ids = [one.id for one in found]
        start = 0 if before is None else ids.index(before) + 1
        return found[start : start + limit]

    def search(self, wanted: NotebookFilter) -> tuple[tuple[Notebook, ...], int]:
        every = [one for number in self.notebooks if (one := self.one(number))]
        found = [one for one in every if _fits(one, wanted)]
        found.sort(key=lambda one: one.id, reverse=wanted.is_descending)
        if wanted.sort is not NotebookColumn.ID:
            found.sort(key=_KEYS[wanted.sort], reverse=wanted.is_descending)
        found.sort(key=lambda one: not one.is_favourite)
        end = wanted.offset + wanted.limit
        return tuple(found[wanted.offset : end]), len(found)

    def count(self, owner: str) -> int:
        return sum(one.owner == owner for one in self.notebooks.values())

    def change(
        self, notebook_id: int, choices: Choices, seen_at: float, now: float
    ) -> Notebook:
        found = self._known(notebook_id)
        if found.changed_at > seen_at:
            raise Conflict("This notebook was changed meanwhile.")
        if choices.name != found.choices.name:
            self._refuse_taken(found.owner, choices.name)
        later = max(now, found.changed_at + 1e-6)
        self.notebooks[notebook_id] = replace(found, choices=choices, changed_at=later)
        return self.one(notebook_id) or found

    def set_favourite(self, notebook_id: int, is_favourite: bool) -> None:
        found = self._known(notebook_id)
        self.notebooks[notebook_id] = replace(found, is_favourite=is_favourite)

    def delete(self, notebook_id: int) -> None:
        self._known(notebook_id)
        if any(one.is_live for one in self.sessions(notebook_id)):
            raise Conflict("This notebook still runs or waits.", "Stop it first.")
        del self.notebooks[notebook_id]

    def sessions(self, notebook_id: int, limit: int = 20) -> tuple[Session, ...]:
        found = [
            one for one in self.all_sessions.values() if one.notebook_id == notebook_id
        ]
        return tuple(sorted(found, key=lambda one: -one.id)[:limit])

    def _known(self, notebook_id: int) -> Notebook:
        if notebook_id not in self.notebooks:
            raise NotFound("There is no such notebook.")
        return self.notebooks[notebook_id]

    def _refuse_taken(self, owner: str, name: str) -> None:
        for one in self.notebooks.values():
            if one.owner == owner and one.choices.name == name:
                raise Conflict("You have a notebook called {name} already.", name=name)


@dataclass
class FakeSessionStore:
    """A SessionStore over the sessions of a FakeNotebookStore."""

    store: FakeNotebookStore

    def ask(self, notebook_id: int, chosen: Choices, key: str, now: float) -> Session:
        notebook = self.store.notebooks.get(notebook_id)
        if notebook is None:
            raise NotFound("There is no such notebook.")
        if any(one.is_live for one in self.store.sessions(notebook_id)):
            raise Conflict("This notebook runs or waits already.")
        number = max(self.store.all_sessions, default=0) + 1
        asked = Session(number, notebook_id, notebook.owner, key, chosen, now, now)
        return self._keep(replace(asked, reached=((Phase.ASKED, now),)))

    def one(self, session_id: int) -> Session | None:
        return self.store.all_sessions.get(session_id)

    def live_of_server(self, owner: str, notebook_id: int) -> Session | None:
        found = [one for one in self.live(owner) if one.notebook_id == notebook_id]
        return found[0] if found else None

    def live(self, owner: str | None = None) -> tuple[Session, ...]:
        return tuple(
            one
            for one in self.store.all_sessions.values()
            if one.is_live and owner in {None, one.owner}
        )

    def submitted(self, session_id: int, job_id: int, now: float) -> Session:
        known = self._known(session_id)
        if not known.is_live or known.job_id is not None:
            return known
        self._keep(replace(known, job_id=job_id, changed_at=now))
        return self.reached(session_id, Phase.QUEUED, now)

    def reached(self, session_id: int, phase: Phase, now: float) -> Session:
        known = self._known(session_id)
        if not known.is_live or phase in dict(known.reached):
            return known
        reached = (*known.reached, (phase, now))
        return self._keep(replace(known, reached=reached, changed_at=now))

    def heard_port(self, session_id: int, port: int, now: float) -> Session:
        known = self._known(session_id)
        if not known.is_live or known.port is not None:
            return known
        return self._keep(replace(known, port=port, changed_at=now))

    def placed(self, session_id: int, node: str, port: int, now: float) -> Session:
        known = self._known(session_id)
        if not known.is_live:
            return known
        return self._keep(replace(known, node=node, port=port, changed_at=now))

    def stopping(self, session_id: int, cause: Cause, now: float) -> Session:
        known = self._known(session_id)
        if not known.is_live or known.stopping is not None:
            return known
        return self._keep(replace(known, stopping=cause, changed_at=now))

    def ended(self, session_id: int, end: SessionEnd) -> Session:
        known = self._known(session_id)
        if not known.is_live:
            return known
        return self._keep(
            replace(
                known,
                ended_at=end.at,
                cause=known.stopping or end.cause,
                detail=end.detail,
                exit_code=end.exit_code,
                seen=end.seen,
                changed_at=end.at,
            )
        )

    def changed_since(
        self, moment: float, owners: Collection[str] | None = None
    ) -> tuple[Session, ...]:
        return tuple(
            one
            for one in self.store.all_sessions.values()
            if one.changed_at >= moment and (owners is None or one.owner in owners)
        )

    def stamps(self, owners: Collection[str]) -> Mapping[str, float]:
        found: dict[str, float] = {}
        for one in self.live():
            if one.owner in owners:
                found[one.owner] = one.changed_at + found.get(one.owner, 0.0)
        return found

    def _keep(self, session: Session) -> Session:
        known = self.store.all_sessions.get(session.id)
        if known is not None:
            later = max(session.changed_at, known.changed_at + 1e-3)
            session = replace(session, changed_at=later)
        self.store.all_sessions[session.id] = session
        return session

    def _known(self, session_id: int) -> Session:
        if session_id not in self.store.all_sessions:
            raise NotFound("There is no such session.")
        return self.store.all_sessions[session_id]


@dataclass
class FakeHubServers:
    """A hub that remembers what it was asked, and may be down."""

    servers: dict[tuple[str, str], str] = field(default_factory=dict)
    asked: list[tuple[str, ...]] = field(default_factory=list)
    down: HubUnavailable | None = None

    async def start(self, person: str, server: str, profile: str) -> None:
        self._ask("start", person, server, profile)
        self.servers[person, server] = "spawn"

    async def stop(self, person: str, server: str) -> None:
        self._ask("stop", person, server)
        self.servers.pop((person, server), None)

    async def forget(self, person: str, server: str) -> None:
        self._ask("forget", person, server)

    async def access_token(self, person: str, server: str, lifetime_s: int) -> str:
        self._ask("token", person, server, str(lifetime_s))
        return f"opens-{person}-{server}"

    async def states(self, person: str) -> Mapping[str, str]:
        self._ask("states", person)
        return {
            server: state
            for (owner, server), state in self.servers.items()
            if owner == person
        }

    def _ask(self, *words: str) -> None:
        if self.down is not None:
            raise self.down
        self.asked.append(words)


@dataclass
class FakeNotebooks:
    """What the notebooks' service works with, all in memory."""

    store: FakeNotebookStore = field(default_factory=FakeNotebookStore)
    hub: FakeHubServers = field(default_factory=FakeHubServers)
    rules: NotebookRules = field(
        default_factory=lambda: NotebookRules(
            presets=PRESETS, unlimited_tenants=("nlp",)
        )
    )
    audit: FakeAuditLog = field(default_factory=FakeAuditLog)
    datasets: FakeDatasets = field(default_factory=FakeDatasets)
    runs: FakeRunStore = field(default_factory=FakeRunStore)
    stops_on_logout: bool = True

    @property
    def sessions(self) -> FakeSessionStore:
        """Return the store of sessions."""
        return FakeSessionStore(self.store)

    def notebooks(self, queues: Queues) -> Notebooks:
        """Return the service over these stores."""
        return Notebooks(
            store=self.store,
            session_store=self.sessions,
            hub=self.hub,
            queues=queues,
            rules=self.rules,
            audit=self.audit,
            datasets=NotebookDatasets(self.datasets, self.datasets),
            parents=NotebookParents(self.runs),
            stops_on_logout=self.stops_on_logout,
        )

    def furnish(self, person: str) -> None:
        """Give a person what the examples speak of: one stopped, one that runs."""
        self.store.notebooks.clear()
        self.store.all_sessions.clear()
        stopped = self.store.create(person, CHOICES, 1.0)
        running = self.store.create(person, replace(CHOICES, name="second"), 1.0)
        past = self.sessions.ask(stopped.id, CHOICES, "past", 1.0)
        self.sessions.ended(past.id, SessionEnd(2.0, Cause.STOPPED))
        self.run(running.id)

    def run(self, notebook_id: int, job_id: int = 101) -> Session:
        """Let a notebook have a session that is ready."""
        notebook = self.store.notebooks[notebook_id]
        live = self.sessions.ask(notebook_id, notebook.choices, f"k{job_id}", 1.0)
        self.sessions.submitted(live.id, job_id, 2.0)
        self.sessions.reached(live.id, Phase.NODE, 3.0)
        self.sessions.placed(live.id, "jup01", 40_000, 3.0)
        return self.sessions.reached(live.id, Phase.READY, 4.0)


def open_to_all(people: Collection[str], queues: FakeQueues) -> Queues:
    """Return the queues as people see them who may all submit in tenant `vision`."""
    known = [association(person, "vision") for person in people]
    return queues.queues(FakeAssociations(tuple(known)))


def _fits(one: Notebook, wanted: NotebookFilter) -> bool:
    plain = (
        wanted.owner in {None, one.owner}
        and (wanted.tenants is None or one.choices.tenant in wanted.tenants)
        and wanted.id.fits(one.id)
        and wanted.created_at.fits(one.created_at)
        and wanted.is_favourite in {None, one.is_favourite}
        and wanted.is_live in {None, one.is_live}
    )
    return plain and all(
        part.fits(text)
        for text, part in (
            (one.choices.name, wanted.name),
            (one.choices.memo, wanted.memo),
            (one.owner, wanted.created_by),
            (one.choices.queue, wanted.queue),
            (status_of(one.session), wanted.status),
        )
    )
