"""The list of preprocessings: filtered, sorted and in pages, all by the server."""

from typing import ClassVar, Final

from pydantic import Field

from handlers.ask import Ask, Page, Values
from handlers.pages.data.sorting import Heads
from handlers.pages.pager import page_within
from handlers.pages.wanted import WantedMade
from handlers.route import Routes, Spec
from kqi_hub.domain.errors import InvalidInput
from kqi_hub.domain.listing import MadeQuestion
from kqi_hub.domain.people import Role
from kqi_hub.domain.preprocessings import PreprocessingPage
from kqi_hub.i18n import N_

routes = Routes(tag=N_("Preprocessings"))
PER_PAGE: Final = 50


class Wanted(WantedMade):
    """What of the list of preprocessings is looked for."""

    beside: ClassVar[frozenset[str]] = WantedMade.beside | {"of"}

    # Data that one of them is to be run on: chosen on a page of data.
    of: str = Field("", max_length=20_000)


@routes.get("/preprocessing", Spec(query=Wanted, errors=(InvalidInput,)))
async def show_preprocessings(ask: Ask) -> Page:
    """Show the preprocessings of your tenant: what makes new data from data."""
    wanted = ask.query(Wanted)
    found, pager = await page_within(
        wanted.page, PER_PAGE, lambda number: _page(ask, wanted, number)
    )
    role = ask.asker.role_in(ask.tenant) if ask.tenant else None

    def values() -> Values:
        return {
            "rows": found.items,
            "found": found.total,
            "wanted": wanted,
            "unread": found.unread,
            "heads": Heads(wanted.sort),
            "page": pager,
            "may_add": role is not None and role >= Role.MEMBER,
        }

    return Page("pages/preprocessings/list.html", values)


async def _page(ask: Ask, wanted: Wanted, number: int) -> PreprocessingPage:
    """Read one page; without a tenant, there is nothing to be seen."""
    if ask.tenant is None:
        return PreprocessingPage((), 0)
    asked = MadeQuestion(
        tenant=ask.tenant, **wanted.model_dump(exclude={"page", "of"}), page=number,
        per_page=PER_PAGE,
    )  # fmt: skip
    return await ask.deps.preprocessings.search(ask.asker, asked)
