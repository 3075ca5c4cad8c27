"""The list of one's notebooks, filtered and in pages; and the star of each."""

from dataclasses import dataclass, replace
from typing import Final, Literal

from pydantic import Field

from handlers.ask import Ask, GoTo, Page, Values
from handlers.own_page import own_page
from handlers.pages.notebooks.number import EXAMPLE, notebook_number
from handlers.pages.notebooks.picture import Aged
from handlers.pages.notebooks.rows import row_of
from handlers.route import Model, Routes, Spec
from kqi_hub.domain.errors import NotFound
from kqi_hub.domain.notebook_list import NotebookFilter
from kqi_hub.domain.notebooks import Notebook
from kqi_hub.i18n import N_
from kqi_hub.services.board import Picture
from kqi_hub.services.notebook_views import NotebookView

routes = Routes(tag=N_("Notebooks"))
PER_PAGE: Final = 25
_LIVE: Final = {"live": True, "ended": False}
_FAVOURITE: Final = {"favourites": True}


class Wanted(Model):
    """What of the list is looked for."""

    q: str = Field("", max_length=100)
    show: Literal["all", "live", "ended", "favourites"] = "all"
    page: int = Field(1, ge=1, le=1000)


class Star(Model):
    """Whether a notebook is a favourite, and where one was."""

    favourite: Literal["yes", "no"]
    back: str = Field("", max_length=1000)


@dataclass(frozen=True, slots=True)
class Pager:
    """The part of the list that is shown, and the pages beside it; 0 is none."""

    shown: str
    previous: int
    following: int


@dataclass(frozen=True, slots=True)
class Part:
    """One page of those that are looked for, and of how many; `total` are one's own."""

    picture: Picture
    views: tuple[NotebookView, ...]
    number: int
    found: int
    total: int


@routes.get("/notebooks", Spec(query=Wanted))
async def show_notebooks(ask: Ask) -> Page:
    """Show your notebooks: state, queue, time left, cost, and what to do with each."""
    wanted = ask.query(Wanted)
    part = await (_searched(ask, wanted) if wanted.q else _counted(ask, wanted))

    def values() -> Values:
        return {
            "rows": [row_of(ask, view) for view in part.views],
            "total": part.total,
            "found": part.found,
            "wanted": wanted,
            "page": _pager(part.number, part.found),
            "picture": Aged.of(part.picture),
        }

    return Page("pages/notebooks/list.html", values)


@routes.post(
    "/notebooks/{notebook_id}/favourite",
    Spec(
        body=Star,
        errors=(NotFound,),
        example={"favourite": "yes", "back": ""},
        example_path=EXAMPLE,
    ),
)
async def star_notebook(ask: Ask) -> GoTo:
    """Put a notebook at the top of your list, or let it go."""
    sent, number = ask.body(Star), notebook_number(ask)
    await ask.deps.notebooks.set_favourite(ask.who, number, sent.favourite == "yes")
    return GoTo(own_page(sent.back) or "notebooks")


def fits(notebook: Notebook, wanted: Wanted) -> bool:
    """Tell whether a notebook is looked for."""
    choices, word = notebook.choices, wanted.q.casefold()
    if wanted.show == "favourites" and not notebook.is_favourite:
        return False
    if wanted.show in {"live", "ended"} and notebook.is_live != (wanted.show == "live"):
        return False
    where = (choices.name, choices.memo, choices.queue, choices.preset)
    return any(word in text.casefold() for text in where)


async def _counted(ask: Ask, wanted: Wanted) -> Part:
    """Read one page alone; the database counts the others."""
    search, show = ask.deps.notebooks.search, wanted.show
    mine = NotebookFilter(owner=ask.me.person, limit=PER_PAGE)
    asked = replace(mine, is_live=_LIVE.get(show), is_favourite=_FAVOURITE.get(show))
    number = wanted.page
    picture, views, found = await search(_at(asked, number))
    if number > _pages(found):
        number = _pages(found)
        picture, views, found = await search(_at(asked, number))
    total = found
    if asked != mine:
        _, _, total = await search(replace(mine, limit=1))
    return Part(picture, views, number, found, total)


async def _searched(ask: Ask, wanted: Wanted) -> Part:
    """Look for a word in all of them; the database keeps queues inside a text."""
    picture, views = await ask.deps.notebooks.list(ask.me.person)
    found = [view for view in views if fits(view.notebook, wanted)]
    number = min(wanted.page, _pages(len(found)))
    shown = found[(number - 1) * PER_PAGE : number * PER_PAGE]
    return Part(picture, tuple(shown), number, len(found), len(views))


def _at(asked: NotebookFilter, number: int) -> NotebookFilter:
    return replace(asked, offset=(number - 1) * PER_PAGE)


def _pages(found: int) -> int:
    return max(1, -(-found // PER_PAGE))


def _pager(number: int, found: int) -> Pager:
    first = (number - 1) * PER_PAGE + 1
    last = min(number * PER_PAGE, found)
    return Pager(f"{first}-{last}", number - 1, 0 if last == found else number + 1)
