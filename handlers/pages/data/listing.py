"""The list of data: filtered, sorted and in pages, all by the server."""

from typing import Final

from pydantic import Field

from handlers.ask import Ask, Page, Values
from handlers.pages.data.sorting import Heads
from handlers.pages.data.uploads import open_uploads
from handlers.pages.pager import Pager, last_page
from handlers.route import Model, Routes, Spec
from kqi_hub.domain.data_list import DataPage, DataQuestion
from kqi_hub.domain.people import Role
from kqi_hub.i18n import N_

routes = Routes(tag=N_("Data"))
PER_PAGE: Final = 50
# Known tags that are offered above the list; all are offered while one types.
SHOWN_TAGS: Final = 20


class Wanted(Model):
    """What of the list is looked for; conditions are in the grammar of lists."""

    id: str = Field("", max_length=200)
    name: str = Field("", max_length=200)
    memo: str = Field("", max_length=200)
    tag: str = Field("", max_length=400)
    created_at: str = Field("", max_length=200)
    created_by: str = Field("", max_length=200)
    sort: str = Field("-id", max_length=20)
    page: int = Field(1, ge=1, le=100_000)

    @property
    def is_narrow(self) -> bool:
        """Tell whether something is looked for."""
        return any(
            (
                self.id,
                self.name,
                self.memo,
                self.tag,
                self.created_at,
                self.created_by,
            )
        )


@routes.get("/data", Spec(query=Wanted))
async def show_data(ask: Ask) -> Page:
    """Show the data of your tenant, found by name, tags, memo, number and time."""
    wanted = ask.query(Wanted)
    number, found = wanted.page, await _page(ask, wanted, wanted.page)
    if number > last_page(found.total or 0, PER_PAGE):
        number = last_page(found.total or 0, PER_PAGE)
        found = await _page(ask, wanted, number)
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
            "page": Pager.of(number, PER_PAGE, found.total or 0),
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
        id=wanted.id,
        name=wanted.name,
        memo=wanted.memo,
        created_at=wanted.created_at,
        created_by=wanted.created_by,
        tags=(wanted.tag,) if wanted.tag else (),
        sort=wanted.sort,
        page=number,
        per_page=PER_PAGE,
        with_total=True,
    )
    return await ask.deps.data.list(ask.asker, question)
