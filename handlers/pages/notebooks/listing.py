"""The list of notebooks, filtered, sorted and in pages; and the star of each."""

from typing import ClassVar, Final, Literal

from pydantic import Field

from handlers.access import check_tenant_role
from handlers.ask import Ask, GoTo, Page, Values
from handlers.own_page import own_page
from handlers.pages.data.sorting import Heads
from handlers.pages.notebooks.number import EXAMPLE, notebook_number
from handlers.pages.notebooks.picture import Aged
from handlers.pages.notebooks.rows import row_of
from handlers.pages.pager import page_within
from handlers.pages.wanted import WantedMade
from handlers.route import Model, Routes, Spec
from kqi_hub.domain.errors import InvalidInput, NotFound, NotPermitted
from kqi_hub.domain.notebook_list import NotebookQuestion
from kqi_hub.domain.people import Role
from kqi_hub.i18n import N_
from kqi_hub.services.notebooks import NotebookPage

routes = Routes(tag=N_("Notebooks"))
PER_PAGE: Final = 25
_LIVE: Final = {"live": True, "ended": False}
_FAVOURITE: Final = {"favourites": True}


class Wanted(WantedMade):
    """What of the list of notebooks is looked for, and in whose."""

    beside: ClassVar[frozenset[str]] = WantedMade.beside | {"whose"}

    queue: str = Field("", max_length=200)
    show: Literal["all", "live", "ended", "favourites"] = "all"
    whose: Literal["mine", "all"] = "mine"


class Star(Model):
    """Whether a notebook is a favourite, and where one was."""

    favourite: Literal["yes", "no"]
    back: str = Field("", max_length=1000)


@routes.get(
    "/notebooks", Spec(query=Wanted, errors=(InvalidInput, NotFound, NotPermitted))
)
async def show_notebooks(ask: Ask) -> Page:
    """Show notebooks, yours or for managers everybody's in a tenant: state, cost."""
    wanted = ask.query(Wanted)
    if wanted.whose == "all":
        check_tenant_role(Role.MANAGER, ask.me, ask.tenant)
    found, pager = await page_within(
        wanted.page, PER_PAGE, lambda number: _page(ask, wanted, number)
    )
    role = ask.asker.role_in(ask.tenant) if ask.tenant else None

    def values() -> Values:
        return {
            "rows": [row_of(ask, view) for view in found.views],
            "found": found.total,
            "wanted": wanted,
            "unread": found.unread,
            "heads": Heads(wanted.sort),
            "page": pager,
            "may_manage": role is Role.MANAGER,
            "me": ask.me.person,
            "picture": Aged.of(found.picture),
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


async def _page(ask: Ask, wanted: Wanted, number: int) -> NotebookPage:
    """Read one page of one's own in all tenants, or of everybody's in this one."""
    is_mine = wanted.whose == "mine"
    question = NotebookQuestion(
        tenant=None if is_mine else ask.tenant,
        **wanted.model_dump(exclude={"show", "whose", "page"}),
        is_live=_LIVE.get(wanted.show),
        is_favourite=_FAVOURITE.get(wanted.show),
        page=number,
        per_page=PER_PAGE,
    )
    owner = ask.me.person if is_mine else None
    return await ask.deps.notebooks.search(question, owner)
