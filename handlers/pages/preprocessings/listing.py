"""The list of preprocessings: filtered, sorted and in pages, all by the server."""

from typing import Final

from pydantic import Field

from handlers.ask import Ask, Page, Values
from handlers.pages.data.sorting import Heads
from handlers.pages.pager import Pager, last_page
from handlers.route import Model, Routes, Spec
from kqi_hub.domain.errors import InvalidInput
from kqi_hub.domain.people import Role
from kqi_hub.domain.preprocessings import PreprocessingPage, PreprocessingQuestion
from kqi_hub.i18n import N_

routes = Routes(tag=N_("Preprocessings"))
PER_PAGE: Final = 50


class Wanted(Model):
    """What of the list is looked for; conditions are in the grammar of lists."""

    id: str = Field("", max_length=200)
    name: str = Field("", max_length=200)
    memo: str = Field("", max_length=200)
    created_at: str = Field("", max_length=200)
    created_by: str = Field("", max_length=200)
    # Data that one of them is to be run on: chosen on a page of data.
    of: str = Field("", max_length=20_000)
    sort: str = Field("-id", max_length=20)
    page: int = Field(1, ge=1, le=100_000)

    @property
    def is_narrow(self) -> bool:
        """Tell whether something is looked for."""
        texts = (self.id, self.name, self.memo, self.created_at, self.created_by)
        return any(texts)


@routes.get("/preprocessing", Spec(query=Wanted, errors=(InvalidInput,)))
async def show_preprocessings(ask: Ask) -> Page:
    """Show the preprocessings of your tenant: what makes new data from data."""
    wanted = ask.query(Wanted)
    number, found = wanted.page, await _page(ask, wanted, wanted.page)
    if number > last_page(found.total, PER_PAGE):
        number = last_page(found.total, PER_PAGE)
        found = await _page(ask, wanted, number)
    role = ask.asker.role_in(ask.tenant) if ask.tenant else None

    def values() -> Values:
        return {
            "rows": found.items,
            "found": found.total,
            "wanted": wanted,
            "unread": found.unread,
            "heads": Heads(wanted.sort),
            "page": Pager.of(number, PER_PAGE, found.total),
            "may_add": role is not None and role >= Role.MEMBER,
        }

    return Page("pages/preprocessings/list.html", values)


async def _page(ask: Ask, wanted: Wanted, number: int) -> PreprocessingPage:
    """Read one page; without a tenant, there is nothing to be seen."""
    if ask.tenant is None:
        return PreprocessingPage((), 0)
    asked = PreprocessingQuestion(
        tenant=ask.tenant, **wanted.model_dump(exclude={"page", "of"}), page=number,
        per_page=PER_PAGE,
    )  # fmt: skip
    return await ask.deps.preprocessings.search(ask.asker, asked)
