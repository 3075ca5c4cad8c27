"""The list of datasets: filtered, sorted and in pages, all by the server."""

from typing import Final, Literal

from handlers.ask import Ask, Page, Values
from handlers.pages.data.sorting import Heads
from handlers.pages.pager import page_within
from handlers.pages.wanted import WantedMade
from handlers.route import Routes, Spec
from kqi_hub.domain.dataset_list import DatasetPage, DatasetQuestion
from kqi_hub.domain.people import Role
from kqi_hub.i18n import N_

routes = Routes(tag=N_("Datasets"))
PER_PAGE: Final = 50
_LOCKS: Final = {"locked": True, "free": False}


class Wanted(WantedMade):
    """What of the list of datasets is looked for."""

    show: Literal["all", "locked", "free"] = "all"


@routes.get("/datasets", Spec(query=Wanted))
async def show_datasets(ask: Ask) -> Page:
    """Show the datasets of your tenant: what is in them, and which are locked."""
    wanted = ask.query(Wanted)
    found, pager = await page_within(
        wanted.page, PER_PAGE, lambda number: _page(ask, wanted, number)
    )
    asker = ask.asker
    role = asker.role_in(ask.tenant) if ask.tenant else None

    def values() -> Values:
        return {
            "datasets": found.items,
            "found": found.total or 0,
            "wanted": wanted,
            "unread": found.unread,
            "heads": Heads(wanted.sort),
            "page": pager,
            "may_add": role is not None and role >= Role.MEMBER,
            "may_manage": role is Role.MANAGER,
        }

    return Page("pages/datasets/list.html", values)


async def _page(ask: Ask, wanted: Wanted, number: int) -> DatasetPage:
    if ask.tenant is None:
        return DatasetPage((), 0)
    question = DatasetQuestion(
        tenant=ask.tenant,
        **wanted.model_dump(exclude={"show", "page"}),
        is_locked=_LOCKS.get(wanted.show),
        page=number,
        per_page=PER_PAGE,
        with_total=True,
    )
    return await ask.deps.datasets.search(ask.asker, question)
