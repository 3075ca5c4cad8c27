"""The list of one's notebooks, filtered and in pages; and the star of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import Field

from handlers.ask import Ask, GoTo, Page
from handlers.own_page import own_page
from handlers.pages.notebooks.number import EXAMPLE, notebook_number
from handlers.pages.notebooks.picture import Aged
from handlers.pages.notebooks.rows import row_of
from handlers.route import Model, Routes, Spec
from kqi_hub.domain.errors import NotFound
from kqi_hub.domain.notebooks import Notebook
from kqi_hub.i18n import N_

routes = Routes(tag=N_("Notebooks"))
PER_PAGE: Final = 25


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


@routes.get("/notebooks", Spec(query=Wanted))
async def show_notebooks(ask: Ask) -> Page:
    """Show your notebooks: state, queue, time left, cost, and what to do with each."""
    wanted = ask.query(Wanted)
    picture, views = await ask.deps.notebooks.list(ask.me.person)
    found = [view for view in views if fits(view.notebook, wanted)]
    count = max(1, -(-len(found) // PER_PAGE))
    number = min(wanted.page, count)
    shown = found[(number - 1) * PER_PAGE : number * PER_PAGE]
    values = {
        "rows": [row_of(ask, view) for view in shown],
        "total": len(views),
        "found": len(found),
        "wanted": wanted,
        "page": _pager(number, found),
        "picture": Aged.of(picture),
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


def _pager(number: int, found: Sequence[object]) -> Pager:
    first = (number - 1) * PER_PAGE + 1
    last = min(number * PER_PAGE, len(found))
    is_last = last == len(found)
    return Pager(f"{first}-{last}", number - 1, 0 if is_last else number + 1)
