"""The list of everything that one has in Slurm; arrays as one row."""

from typing import Literal

from pydantic import Field

from handlers.ask import Ask, Page, Values
from handlers.pages.jobs.rows import row_of
from handlers.pages.jobs.words import KINDS, SHOWS
from handlers.pages.notebooks.picture import Aged
from handlers.pages.pager import Pager, last_page
from handlers.route import Model, Routes, Spec
from kqi_hub.domain.own_jobs import JobKind, Show, Wanted
from kqi_hub.i18n import N_
from kqi_hub.services.own_jobs import JobPage

routes = Routes(tag=N_("Jobs"))
PER_PAGE = 50


class JobsWanted(Model):
    """What of the list is looked for."""

    q: str = Field("", max_length=100)
    show: Show = Show.ALL
    kind: JobKind | Literal[""] = ""
    page: int = Field(1, ge=1, le=100_000)

    @property
    def is_narrow(self) -> bool:
        """Tell whether something is looked for."""
        return bool(self.q or self.kind) or self.show is not Show.ALL


@routes.get("/jobs", Spec(query=JobsWanted))
async def show_jobs(ask: Ask) -> Page:
    """Show all your jobs, whoever submitted them: state, reason, time, cost."""
    wanted = ask.query(JobsWanted)
    number, found = wanted.page, await _page(ask, wanted, wanted.page)
    if number > last_page(found.found, PER_PAGE):
        number = last_page(found.found, PER_PAGE)
        found = await _page(ask, wanted, number)

    def values() -> Values:
        return {
            "rows": [row_of(ask, view) for view in found.groups],
            "wanted": wanted,
            "found": found.found,
            "total": found.total,
            "is_cut": found.is_cut,
            "page": Pager.of(number, PER_PAGE, found.found),
            "picture": Aged.of(found.picture),
            "kinds": [(kind.value, ask.texts.say(KINDS[kind])) for kind in JobKind],
            "shows": [(show.value, ask.texts.say(SHOWS[show])) for show in Show],
        }

    return Page("pages/jobs/list.html", values)


async def _page(ask: Ask, wanted: JobsWanted, number: int) -> JobPage:
    asked = Wanted(
        show=wanted.show,
        kind=wanted.kind or None,
        text=wanted.q,
        limit=PER_PAGE,
        offset=(number - 1) * PER_PAGE,
    )
    return await ask.deps.own_jobs.list(ask.me.person, asked)
