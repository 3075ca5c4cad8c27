"""Notebooks: one's own, their sessions, and ways to them."""

from typing import Final

from pydantic import Field

from handlers.api import notebook_models as shown
from handlers.api.listing_models import Day, WantedPage
from handlers.api.queue_models import PictureAge, picture as picture_age
from handlers.ask import Ask, Listing
from handlers.failures import HubUnavailable
from handlers.route import Model, Routes, Spec
from kqi_hub.domain.errors import (
    ClusterUnreachable,
    Conflict,
    InvalidInput,
    NotFound,
)
from kqi_hub.domain.notebook_list import NotebookColumn, NotebookQuestion
from kqi_hub.i18n import N_
from kqi_hub.services.notebooks import NotebookPage, Opening

routes = Routes("/api/v1", tag=N_("Notebooks"))
STARTING: Final = (
    InvalidInput,
    NotFound,
    Conflict,
    ClusterUnreachable,
    HubUnavailable,
)
_NUMBER_DIGITS: Final = 18


class Wanted(WantedPage):
    """Which notebooks to list. Texts: contains; with ! before: does not."""

    queue: str = Field("", max_length=200, description="Part of the queue's name.")
    status: str = Field("", max_length=200, description="Part of the status.")
    created_at: Day = ""
    live: bool | None = Field(None, description="Whether it waits, starts or runs.")
    favourite: bool | None = Field(None, description="Whether it is a favourite.")
    sort: str = Field(
        "-id",
        pattern=f"^-?({'|'.join(NotebookColumn)})$",
        description="What it is sorted by, behind favourites; - before: down.",
    )

    def question(self, tenant: str | None = None) -> NotebookQuestion:
        """Return it as the services know it."""
        return NotebookQuestion(
            tenant=tenant,
            is_live=self.live,
            is_favourite=self.favourite,
            **self.model_dump(exclude={"live", "favourite"}),
        )


class NotebookList(Model):
    """Notebooks, favourites first, then the newest unless sorted otherwise."""

    picture: PictureAge = Field(description="How old what Slurm said is.")
    total: int = Field(description="How many on all pages; also in X-Total-Count.")
    notebooks: tuple[shown.Notebook, ...] = Field(description="Those of this page.")
    unread: dict[str, str] = Field(
        description="Conditions that cannot be read, by field: nothing was found."
    )


class SessionList(Model):
    """What has run of a notebook, the newest first."""

    sessions: tuple[shown.PastSession, ...] = Field(description="Its sessions.")


class Past(Model):
    """How much of the history to list."""

    most: int = Field(20, ge=1, le=1000, description="How many sessions at most.")


class Changed(shown.Choices):
    """New choices for a notebook, all of them."""

    changed_at: float = Field(
        ge=0, le=1e12, description="The changed_at of what you have seen."
    )
    tenant: str = Field(
        "", max_length=64, description="The tenant; as it was when left out."
    )


class Copy(Model):
    """What to call the copy."""

    name: str = Field("", max_length=30, description="Its name; empty: a free one.")


class Favourite(Model):
    """Whether it comes first."""

    is_favourite: bool = Field(description="Whether it is a favourite.")


class Way(Model):
    """A way to a server of yours: the token opens this one, for a short time."""

    url: str = Field(description="Its address, from the site's address on.")
    token: str = Field(description="Send it as Authorization: Bearer, or ?token=.")
    lifetime_s: int = Field(description="How many seconds the token lasts.")


@routes.get(
    "/notebooks",
    Spec(query=Wanted, answer=NotebookList, errors=(InvalidInput,)),
)
async def list_notebooks(ask: Ask) -> Listing:
    """List your notebooks."""
    asked = ask.query(Wanted).question()
    return notebook_list(ask, await ask.deps.notebooks.search(asked, ask.me.person))


@routes.get(
    "/notebooks/{notebook_id}",
    Spec(answer=shown.NotebookNow, errors=(NotFound,), example_path=shown.EXAMPLE),
)
async def show_notebook(ask: Ask) -> shown.NotebookNow:
    """Show a notebook of yours: status, reason to wait, time left, cost so far."""
    found = await ask.deps.notebooks.one(ask.me.person, notebook_id(ask))
    return shown.notebook_now(ask, *found)


@routes.put(
    "/notebooks/{notebook_id}",
    Spec(
        body=Changed,
        answer=shown.Notebook,
        errors=(InvalidInput, NotFound, Conflict),
        example_path=shown.EXAMPLE,
        example={**shown.EXAMPLE_CHOICES, "changed_at": 1_795_000_000},
    ),
)
async def change_notebook(ask: Ask) -> shown.Notebook:
    """Change a notebook; what runs keeps the choices that it began with."""
    sent, number = ask.body(Changed), notebook_id(ask)
    notebooks = ask.deps.notebooks
    tenant = sent.tenant or await _tenant(ask, number)
    choices = sent.chosen(tenant, ask.deps.notebooks.rules.ui)
    await notebooks.change(ask.who, number, choices, sent.changed_at)
    return await _now(ask, number)


@routes.delete(
    "/notebooks/{notebook_id}",
    Spec(errors=(NotFound, Conflict), example_path=shown.EXAMPLE),
)
async def delete_notebook(ask: Ask) -> None:
    """Delete a notebook with its history; the files of your workspace stay."""
    await ask.deps.notebooks.delete(ask.who, notebook_id(ask))


@routes.post(
    "/notebooks/{notebook_id}/start",
    Spec(
        answer=shown.Notebook,
        status=202,
        errors=STARTING,
        example_path=shown.EXAMPLE,
    ),
)
async def start_notebook(ask: Ask) -> shown.Notebook:
    """Start a notebook; one that waits or runs already goes on."""
    return shown.notebook(
        ask, await ask.deps.notebooks.start(ask.who, notebook_id(ask))
    )


@routes.post(
    "/notebooks/{notebook_id}/rerun",
    Spec(
        body=Changed,
        answer=shown.Notebook,
        status=202,
        errors=STARTING,
        example_path=shown.EXAMPLE,
        example={**shown.EXAMPLE_CHOICES, "changed_at": 1_795_000_000},
    ),
)
async def rerun_notebook(ask: Ask) -> shown.Notebook:
    """Change a notebook that does not run, and start it."""
    sent, number = ask.body(Changed), notebook_id(ask)
    tenant = sent.tenant or await _tenant(ask, number)
    choices = sent.chosen(tenant, ask.deps.notebooks.rules.ui)
    view = await ask.deps.notebooks.rerun(ask.who, number, choices, sent.changed_at)
    return shown.notebook(ask, view)


@routes.post(
    "/notebooks/{notebook_id}/stop",
    Spec(
        answer=shown.Notebook,
        status=202,
        errors=(NotFound, Conflict, HubUnavailable),
        example_path=shown.RUNNING_EXAMPLE,
    ),
)
async def stop_notebook(ask: Ask) -> shown.Notebook:
    """Stop a notebook, or cancel its start."""
    return shown.notebook(ask, await ask.deps.notebooks.stop(ask.who, notebook_id(ask)))


@routes.post(
    "/notebooks/{notebook_id}/copy",
    Spec(
        body=Copy,
        answer=shown.Notebook,
        status=201,
        errors=(InvalidInput, NotFound, Conflict),
        example_path=shown.EXAMPLE,
        example={"name": ""},
    ),
)
async def copy_notebook(ask: Ask) -> shown.Notebook:
    """Make a notebook with the same choices under another name."""
    name = ask.body(Copy).name
    made = await ask.deps.notebooks.copy(ask.who, notebook_id(ask), name)
    return await _now(ask, made.id)


@routes.put(
    "/notebooks/{notebook_id}/favourite",
    Spec(
        body=Favourite,
        errors=(NotFound,),
        example_path=shown.EXAMPLE,
        example={"is_favourite": True},
    ),
)
async def mark_notebook(ask: Ask) -> None:
    """Put a notebook first in your list, or let it go."""
    wanted = ask.body(Favourite).is_favourite
    await ask.deps.notebooks.set_favourite(ask.who, notebook_id(ask), wanted)


@routes.get(
    "/notebooks/{notebook_id}/sessions",
    Spec(
        query=Past,
        answer=SessionList,
        errors=(NotFound,),
        example_path=shown.EXAMPLE,
    ),
)
async def list_sessions(ask: Ask) -> Listing:
    """List what has run of a notebook of yours: when, how it ended, what it cost."""
    number, most = notebook_id(ask), ask.query(Past).most
    found = await ask.deps.notebooks.history(ask.me.person, number, most)
    return Listing(
        lambda: SessionList(
            sessions=tuple(shown.past_session(ask, one) for one in found)
        )
    )


@routes.post(
    "/notebooks/{notebook_id}/open",
    Spec(
        answer=Way,
        errors=(NotFound, Conflict, HubUnavailable),
        example_path=shown.RUNNING_EXAMPLE,
    ),
)
async def open_notebook(ask: Ask) -> Way:
    """Return the way into a notebook of yours that is ready, with a token for it."""
    return _way(await ask.deps.notebooks.open(ask.me.person, notebook_id(ask)))


@routes.post("/agent", Spec(answer=Way, errors=(Conflict, HubUnavailable)))
async def start_agent(ask: Ask) -> Way:
    """Start your agent, which follows logs as you, and return the way to it."""
    return _way(await ask.deps.notebooks.agent(ask.me.person))


def notebook_list(ask: Ask, found: NotebookPage) -> Listing:
    """Return a page of notebooks; of others' without variables and commands."""
    me = ask.me.person
    return Listing(
        lambda: NotebookList(
            picture=picture_age(found.picture, ask.texts),
            total=found.total,
            notebooks=tuple(
                shown.notebook(ask, view, is_own=view.notebook.owner == me)
                for view in found.views
            ),
            unread=dict(found.unread),
        ),
        found.total,
    )


def notebook_id(ask: Ask) -> int:
    """Return the number in the path; what is none is the number of no notebook."""
    text = ask.path["notebook_id"]
    is_number = text.isascii() and text.isdigit() and len(text) <= _NUMBER_DIGITS
    return int(text) if is_number else -1


async def _now(ask: Ask, number: int) -> shown.Notebook:
    _, view = await ask.deps.notebooks.one(ask.me.person, number)
    return shown.notebook(ask, view)


async def _tenant(ask: Ask, number: int) -> str:
    _, view = await ask.deps.notebooks.one(ask.me.person, number)
    return view.notebook.choices.tenant


def _way(opening: Opening) -> Way:
    return Way(url=opening.path, token=opening.token, lifetime_s=opening.lifetime_s)
