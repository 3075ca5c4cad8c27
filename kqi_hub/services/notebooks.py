"""Create, start, stop and forget notebooks, for pages, the REST interface and kqi."""

import asyncio
import base64
import logging
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from typing import Final, TypeVar

from kqi_hub.domain.costs import Cost
from kqi_hub.domain.errors import (
    ClusterUnreachable,
    Conflict,
    HubUnavailable,
    InvalidInput,
    NotFound,
)
from kqi_hub.domain.listing import unread_of
from kqi_hub.domain.login import AuditEvent, AuditLog
from kqi_hub.domain.notebook_choices import checked_choices
from kqi_hub.domain.notebook_list import NotebookQuestion, filter_of
from kqi_hub.domain.notebook_ports import (
    HubServers,
    NotebookStore,
    SessionEnd,
    SessionStore,
)
from kqi_hub.domain.notebooks import (
    LONGEST_NAME,
    Cause,
    Choices,
    Notebook,
    NotebookRules,
    Preset,
    Session,
)
from kqi_hub.services.board import Picture
from kqi_hub.services.freshness import Trust
from kqi_hub.services.notebook_datasets import NotebookDatasets
from kqi_hub.services.notebook_parents import NotebookParents
from kqi_hub.services.notebook_views import (
    NotebookView,
    PastSession,
    ours_of,
    past_of,
    view_of,
)
from kqi_hub.services.proving import Who
from kqi_hub.services.queues import Estimate, Queues

AGENT: Final = "agent"
TOKEN_S: Final = 600
_KEY_BYTES: Final = 16
_MOST_LISTED: Final = 1000
T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Opening:
    """A way to a server of one's own: its address and a token that opens it alone."""

    path: str
    token: str
    lifetime_s: int


@dataclass(frozen=True, slots=True)
class NotebookPage:
    """A page of a list; `unread` names the fields whose condition cannot be read."""

    picture: Picture
    views: tuple[NotebookView, ...]
    total: int
    unread: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Notebooks:
    """The notebooks of everybody; one a process."""

    store: NotebookStore
    session_store: SessionStore
    hub: HubServers
    queues: Queues
    rules: NotebookRules
    audit: AuditLog
    datasets: NotebookDatasets
    parents: NotebookParents
    stops_on_logout: bool = True
    zone: tzinfo = UTC
    wall: Callable[[], float] = time.time

    async def list(self, person: str) -> tuple[Picture, tuple[NotebookView, ...]]:
        """Return all of a person's, favourites first, then the newest."""
        picture = await self.queues.board.current()

        def read() -> tuple[NotebookView, ...]:
            return self._views(self.store.page(person, _MOST_LISTED), picture)

        return picture, await _off(read)

    async def search(self, asked: NotebookQuestion, owner: str | None) -> NotebookPage:
        """Return a page of somebody's, or of everybody's: whoever asks must see it.

        What cannot be read finds nothing.
        """
        picture = await self.queues.board.current()
        if unread := unread_of(asked, self.zone):
            return NotebookPage(picture, (), 0, unread)
        wanted = filter_of(asked, owner, self.zone)

        def read() -> NotebookPage:
            found, total = self.store.search(wanted)
            return NotebookPage(picture, self._views(found, picture), total)

        return await _off(read)

    async def one(self, person: str, notebook_id: int) -> tuple[Picture, NotebookView]:
        """Return one of a person's own; NotFound for all others."""
        picture = await self.queues.board.current()
        found = await self._owned(person, notebook_id)
        [view] = await _off(lambda: self._views((found,), picture))
        return picture, view

    async def sessions(self, person: str, notebook_id: int) -> tuple[Session, ...]:
        """Return what has run of a person's own notebook, newest first."""
        await self._owned(person, notebook_id)
        return await _off(lambda: self.store.sessions(notebook_id))

    async def history(
        self, person: str, notebook_id: int, most: int = 20
    ) -> tuple[PastSession, ...]:
        """Return what has run of a person's own notebook with costs, newest first."""
        picture = await self.queues.board.current()
        await self._owned(person, notebook_id)
        now, pricing = self.wall(), self.queues.pricing

        def read() -> tuple[PastSession, ...]:
            found = self.store.sessions(notebook_id, most)
            costs = self._costs(found, picture, now)
            return tuple(
                past_of(one, picture, pricing, now, cost)
                for one, cost in zip(found, costs, strict=True)
            )

        return await _off(read)

    async def create(self, who: Who, choices: Choices) -> Notebook:
        """Keep a new notebook; nothing starts."""
        checked = checked_choices(choices, self.rules)

        def create() -> Notebook:
            self._check_uses(who, checked)
            if self.store.count(who.person) >= self.rules.most_per_person:
                raise Conflict(
                    "You have as many notebooks as one may have: {most}.",
                    "Delete one that you no longer use.",
                    most=self.rules.most_per_person,
                )
            made = self.store.create(who.person, checked, self.wall())
            self._note(who, "notebook-created", made.id)
            return made

        return await _off(create)

    async def change(
        self, who: Who, notebook_id: int, choices: Choices, seen_at: float
    ) -> Notebook:
        """Replace the choices; a session that lives keeps those that it began with."""
        await self._owned(who.person, notebook_id)
        checked = checked_choices(choices, self.rules)

        def change() -> Notebook:
            self._check_uses(who, checked)
            now = self.wall()
            changed = self.store.change(notebook_id, checked, seen_at, now)
            self._note(who, "notebook-changed", notebook_id)
            return changed

        return await _off(change)

    async def copy(self, who: Who, notebook_id: int, name: str = "") -> Notebook:
        """Keep the same choices once more, under a name that is free."""
        found = await self._owned(who.person, notebook_id)
        called = name or await self.free_name(who.person, found.choices.name)
        return await self.create(who, replace(found.choices, name=called))

    async def free_name(self, person: str, name: str) -> str:
        """Return a name like this one that the person has not given yet."""
        mine = await _off(lambda: self.store.page(person, _MOST_LISTED))
        taken = {one.choices.name for one in mine}
        for number in range(2, len(taken) + 3):
            end = f"-{number}"
            candidate = name[: LONGEST_NAME - len(end)] + end
            if candidate not in taken:
                return candidate
        return name

    async def set_favourite(
        self, who: Who, notebook_id: int, is_favourite: bool
    ) -> None:
        """Put it first in the person's list, or let it go."""
        await self._owned(who.person, notebook_id)
        await _off(lambda: self.store.set_favourite(notebook_id, is_favourite))

    async def delete(self, who: Who, notebook_id: int) -> None:
        """Forget a notebook that does not live, with its history; its files stay."""
        await self._owned(who.person, notebook_id)

        def delete() -> None:
            self.store.delete(notebook_id)
            self.datasets.forget(notebook_id)
            self._note(who, "notebook-deleted", notebook_id)

        await _off(delete)
        try:
            await self.hub.forget(who.person, _server(notebook_id))
        except HubUnavailable as error:
            log.info("the hub still remembers %s: %s", _server(notebook_id), error)

    async def check(self, person: str, choices: Choices) -> Estimate:
        """Say what a notebook would meet if it were started now; nothing is sent."""
        checked = checked_choices(choices, self.rules)
        _, estimate = await self._estimate(person, checked)
        return estimate

    async def start(self, who: Who, notebook_id: int) -> NotebookView:
        """Start a session; one that lives already is returned as it is."""
        found = await self._owned(who.person, notebook_id)
        live = found.session if found.is_live else None
        if live is None:
            live = await self._ask(who, found)
        elif live.stopping is not None:
            raise Conflict(
                "This notebook is being stopped.", "Start it again in a moment."
            )
        await self._have_started(live)
        _, view = await self.one(who.person, notebook_id)
        return view

    async def rerun(
        self, who: Who, notebook_id: int, choices: Choices, seen_at: float
    ) -> NotebookView:
        """Change a notebook that does not run, and start it (KX-79)."""
        found = await self._owned(who.person, notebook_id)
        if found.is_live:
            raise Conflict(
                "This notebook still runs or waits.", "Stop it first, then re-run it."
            )
        await self.change(who, notebook_id, choices, seen_at)
        return await self.start(who, notebook_id)

    async def stop(self, who: Who, notebook_id: int) -> NotebookView:
        """Stop what lives of it, or cancel its start; what does not live is no error.

        A hub that does not answer is asked again by the keeper.
        """
        found = await self._owned(who.person, notebook_id)
        live = found.session
        if live is not None and live.is_live:
            await self._stop(who, live)
        _, view = await self.one(who.person, notebook_id)
        return view

    async def stop_all(self, who: Who) -> int:
        """Stop everything of a person's, as at logout; return how many lived."""
        live = await _off(lambda: self.session_store.live(who.person))
        for session in live:
            await self._stop(who, session)
        return len(live)

    async def live(self, person: str) -> tuple[NotebookView, ...]:
        """Return what runs or waits of a person's, with its price an hour."""
        _, views = await self.list(person)
        return tuple(one for one in views if one.notebook.is_live)

    async def open(self, person: str, notebook_id: int) -> Opening:
        """Return the way to a notebook that is ready, for kqi and programs."""
        found = await self._owned(person, notebook_id)
        session = found.session
        if session is None or not session.is_ready or session.stopping is not None:
            raise Conflict(
                "This notebook is not ready to be opened.",
                "Start it, and wait until it is ready.",
            )
        path = f"user/{person}/{session.server}/{session.chosen.ui.value}"
        return await self._opening(person, session.server, path)

    async def agent(self, person: str) -> Opening:
        """Start the person's agent, if it does not run, and return the way to it."""
        await self.hub.start(person, AGENT, AGENT)
        return await self._opening(person, AGENT, f"user/{person}/{AGENT}/")

    def presets_for(self, tenant: str) -> tuple[Preset, ...]:
        """Return the ready-made choices of a tenant."""
        return tuple(
            one
            for one in self.rules.presets
            if not one.tenants or tenant in one.tenants
        )

    async def _opening(self, person: str, server: str, path: str) -> Opening:
        token = await self.hub.access_token(person, server, TOKEN_S)
        return Opening(path, token, TOKEN_S)

    def _check_uses(self, who: Who, choices: Choices) -> None:
        """Refuse a dataset or runs that are not there for this person. Blocks."""
        self.datasets.check(who, choices.dataset)
        self.parents.check(who.person, choices.parents)

    async def _ask(self, who: Who, notebook: Notebook) -> Session:
        """Store the wish for a session, if Slurm could take it."""
        chosen = checked_choices(notebook.choices, self.rules)
        _, estimate = await self._estimate(who.person, chosen)
        if estimate.objections:
            raise InvalidInput(
                "This notebook cannot start: {why}",
                "Change it, then start it again.",
                why=estimate.objections[0],
            )

        def ask() -> Session:
            self._check_uses(who, chosen)
            key = new_key()
            asked = self.session_store.ask(notebook.id, chosen, key, self.wall())
            self._note(who, "notebook-started", notebook.id)
            return asked

        try:
            return await _off(ask)
        except Conflict:
            # Two starts at once: the other one's session is the one.
            live = await _off(
                lambda: self.session_store.live_of_server(who.person, notebook.id)
            )
            if live is None:
                raise
            return live

    async def _have_started(self, session: Session) -> None:
        """Ask the hub; a wish that the hub cannot have heard of ends at once."""
        try:
            await self.hub.start(session.owner, session.server, profile_of(session))
        except HubUnavailable as error:
            if error.may_have_happened or session.job_id is not None:
                log.warning("%s is asked for again soon: %s", session.server, error)
                return
            end = SessionEnd(self.wall(), Cause.FAILED, error.message)
            await _off(lambda: self.session_store.ended(session.id, end))
            raise

    async def _stop(self, who: Who, session: Session) -> None:
        def note() -> None:
            self.session_store.stopping(session.id, Cause.STOPPED, self.wall())
            self._note(who, "notebook-stopped", session.notebook_id)

        await _off(note)
        try:
            await self.hub.stop(session.owner, session.server)
        except HubUnavailable as error:
            log.warning("%s is stopped as soon as possible: %s", session.server, error)

    async def _estimate(
        self, person: str, choices: Choices
    ) -> tuple[Picture, Estimate]:
        picture = await self.queues.board.current()
        if picture.trust is Trust.NONE:
            raise ClusterUnreachable(
                "Slurm has not been looked at yet, so queues are not known.",
                "Try again in a moment; if this lasts, tell the operators.",
            )
        queue = self.queues.pick(picture, choices.queue, person, choices.tenant)
        shape, lifetime_s = choices.shape, choices.lifetime_s
        return picture, await self.queues.estimate(picture, queue, shape, lifetime_s)

    async def _owned(self, person: str, notebook_id: int) -> Notebook:
        found = await _off(lambda: self.store.one(notebook_id))
        if found is None or found.owner != person:
            raise NotFound("There is no such notebook.", "Look at the list again.")
        return found

    def _views(
        self, found: tuple[Notebook, ...], picture: Picture
    ) -> tuple[NotebookView, ...]:
        """Join notebooks with the picture and their costs. Blocks."""
        now, pricing = self.wall(), self.queues.pricing
        costs = self._costs([one.session for one in found], picture, now)
        return tuple(
            view_of(one, picture, pricing, now, cost)
            for one, cost in zip(found, costs, strict=True)
        )

    def _costs(
        self, sessions: Sequence[Session | None], picture: Picture, now: float
    ) -> tuple[Cost, ...]:
        """Return what sessions have cost. Blocks."""
        ours = [ours_of(one, picture, now) for one in sessions]
        return self.queues.costs.of_ours(ours, picture.scene, now)

    def _note(self, who: Who, action: str, notebook_id: int) -> None:
        """Audit what somebody did. Blocks."""
        self.audit.append(
            AuditEvent(
                at=self.wall(),
                actor=who.person,
                action=action,
                target=_server(notebook_id),
                address=who.address,
            )
        )


def new_key() -> str:
    """Return the random part of a job's name: 26 characters, 128 bit."""
    word = base64.b32encode(secrets.token_bytes(_KEY_BYTES)).decode().rstrip("=")
    return word.lower()


def profile_of(session: Session) -> str:
    """Return the hub's name of what a session is started from."""
    preset = session.chosen.preset
    return f"preset:{preset}" if preset else "notebook"


def _server(notebook_id: int) -> str:
    return f"nb-{notebook_id}"


async def _off(call: Callable[[], T]) -> T:
    return await asyncio.to_thread(call)
