"""The list of data: filtered, sorted and in pages, all by the server."""

from typing import Final

from pydantic import Field

from handlers.ask import Ask, Page, Values
from handlers.pages.data.sorting import Heads
from handlers.pages.data.uploads import open_uploads
from handlers.pages.pager import page_within
from handlers.pages.wanted import WantedMade
from handlers.route import Routes, Spec
from kqi_hub.domain.data_list import DataPage, DataQuestion
from kqi_hub.domain.people import Role
from kqi_hub.i18n import N_

routes = Routes(tag=N_("Data"))
PER_PAGE: Final = 50
# Known tags that are offered above the list; all are offered while one types.
SHOWN_TAGS: Final = 20


class Wanted(WantedMade):
    """What of the list of data is looked for."""

    tag: str = Field("", max_length=400)


@routes.get("/data", Spec(query=Wanted))
async def show_data(ask: Ask) -> Page:
    """Show the data of your tenant, found by name, tags, memo, number and time."""
    wanted = ask.query(Wanted)
    found, pager = await page_within(
        wanted.page, PER_PAGE, lambda number: _page(ask, wanted, number)
    )
    role = ask.asker.role_in(ask.tenant) if ask.tenant else None
    may_add = role is not None and role >= Role.MEMBER
    tags = await ask.deps.data.known_tags(ask.asker, ask.tenant) if ask.tenant else ()
    lines = await open_uploads(ask, ask.tenant) if may_add else ()

    def values() -> Values:
        return {
            "items": found.items,
            "found": found.total or 0,
            "wanted": wanted,
            "unread": found.unread,
            "heads": Heads(wanted.sort),
            "page": pager,
            "may_add": may_add,
            "tags": tags,
            "often": sorted(tags, key=lambda one: -one.items)[:SHOWN_TAGS],
            "uploads": lines,
        }

    return Page("pages/data/list.html", values)


async def _page(ask: Ask, wanted: Wanted, number: int) -> DataPage:
    if ask.tenant is None:
        return DataPage((), 0)
    question = DataQuestion(
        tenant=ask.tenant,
        **wanted.model_dump(exclude={"tag", "page"}),
        tags=(wanted.tag,) if wanted.tag else (),
        page=number,
        per_page=PER_PAGE,
        with_total=True,
    )
    return await ask.deps.data.list(ask.asker, question)
