"""The list of datasets: filtered, sorted and in pages, all by the server."""

from typing import Final, Literal

from pydantic import Field

from handlers.ask import Ask, Page, Values
from handlers.pages.data.sorting import Heads
from handlers.pages.pager import Pager, last_page
from handlers.route import Model, Routes, Spec
from kqi_hub.domain.dataset_list import DatasetPage, DatasetQuestion
from kqi_hub.domain.people import Role
from kqi_hub.i18n import N_

routes = Routes(tag=N_("Datasets"))
PER_PAGE: Final = 50
_LOCKS: Final = {"locked": True, "free": False}


class Wanted(Model):
    """What of the list is looked for; conditions are in the grammar of lists."""

    id: str = Field("", max_length=200)
    name: str = Field("", max_length=200)
    memo: str = Field("", max_length=200)
    created_at: str = Field("", max_length=200)
    created_by: str = Field("", max_length=200)
    show: Literal["all", "locked", "free"] = "all"
    sort: str = Field("-id", max_length=20)
    page: int = Field(1, ge=1, le=100_000)

    @property
    def is_narrow(self) -> bool:
        """Tell whether something is looked for."""
        texts = (self.id, self.name, self.memo, self.created_at, self.created_by)
        return any(texts) or self.show != "all"


@routes.get("/datasets", Spec(query=Wanted))
async def show_datasets(ask: Ask) -> Page:
    """Show the datasets of your tenant: what is in them, and which are locked."""
    wanted = ask.query(Wanted)
    number, found = wanted.page, await _page(ask, wanted, wanted.page)
    if number > last_page(found.total or 0, PER_PAGE):
        number = last_page(found.total or 0, PER_PAGE)
        found = await _page(ask, wanted, number)
    asker = ask.asker
    role = asker.role_in(ask.tenant) if ask.tenant else None

    def values() -> Values:
        return {
            "datasets": found.items,
            "found": found.total or 0,
            "wanted": wanted,
            "unread": found.unread,
            "heads": Heads(wanted.sort),
            "page": Pager.of(number, PER_PAGE, found.total or 0),
            "may_add": role is not None and role >= Role.MEMBER,
            "may_manage": role is Role.MANAGER,
        }

    return Page("pages/datasets/list.html", values)


async def _page(ask: Ask, wanted: Wanted, number: int) -> DatasetPage:
    if ask.tenant is None:
        return DatasetPage((), 0)
    question = DatasetQuestion(
        tenant=ask.tenant,
        id=wanted.id,
        name=wanted.name,
        memo=wanted.memo,
        created_at=wanted.created_at,
        created_by=wanted.created_by,
        is_locked=_LOCKS.get(wanted.show),
        sort=wanted.sort,
        page=number,
        per_page=PER_PAGE,
        with_total=True,
    )
    return await ask.deps.datasets.search(ask.asker, question)
