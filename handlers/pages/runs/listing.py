"""The lists of runs: filtered, sorted and in pages by the server; and their stars."""

from typing import Final, Literal

from pydantic import Field

from handlers.access import Who
from handlers.ask import Ask, GoTo, Page, Values
from handlers.own_page import own_page
from handlers.pages.data.sorting import Heads
from handlers.pages.notebooks.picture import Aged
from handlers.pages.pager import page_within
from handlers.pages.runs.kinds import DONE, RunRoutes, Words, run_number, words_of
from handlers.pages.runs.rows import row_of
from handlers.pages.runs.words import state_words
from handlers.pages.wanted import WantedList
from handlers.route import Model, Spec
from kqi_hub.domain.errors import InvalidInput, NotFound, NotPermitted
from kqi_hub.domain.people import Role
from kqi_hub.domain.run_list import RunQuestion
from kqi_hub.domain.runs import RunChange
from kqi_hub.i18n import N_
from kqi_hub.services.run_views import RunPage

routes = RunRoutes(tag=N_("Runs"))
PER_PAGE: Final = 50
# Conditions that are folded away while nobody uses them.
_DEEP: Final = (
    "id", "memo", "command", "dataset", "parent_id", "parent_name", "queue",
)  # fmt: skip


class Wanted(WantedList):
    """What of a list of runs is looked for."""

    command: str = Field("", max_length=200)
    owner: str = Field("", max_length=200)
    queue: str = Field("", max_length=200)
    asked_at: str = Field("", max_length=200)
    parent_id: str = Field("", max_length=200)
    parent_name: str = Field("", max_length=200)
    dataset: str = Field("", max_length=200)
    tag: str = Field("", max_length=400)
    state: str = Field("", max_length=40)
    favourite: Literal["", "yes"] = ""

    @property
    def is_deep(self) -> bool:
        """Tell whether a condition is used that is folded away otherwise."""
        return any(getattr(self, name) for name in _DEEP)


class Star(Model):
    """Whether a run is a favourite, and where one was."""

    favourite: Literal["yes", "no"]
    back: str = Field("", max_length=1000)


@routes.get("", Spec(query=Wanted, errors=(InvalidInput,)))
async def show_runs(ask: Ask) -> Page:
    """Show the runs of your tenant: state, value, queue, time, cost."""
    wanted, words = ask.query(Wanted), words_of(ask)
    found, pager = await page_within(
        wanted.page, PER_PAGE, lambda number: _page(ask, words, wanted, number)
    )
    role = ask.asker.role_in(ask.tenant) if ask.tenant else None
    tags = await ask.deps.runs.tags(ask.asker, ask.tenant) if ask.tenant else ()

    def values() -> Values:
        return {
            "words": words,
            "rows": [row_of(ask, view) for view in found.items],
            "found": found.total,
            "wanted": wanted,
            "unread": found.unread,
            "states": state_words(ask.texts),
            "heads": Heads(wanted.sort),
            "page": pager,
            "may_start": role is not None and role >= Role.MEMBER,
            "tags": tags,
            "picture": Aged.of(found.picture),
        }

    return Page("pages/runs/list.html", values)


@routes.post(
    "/{run_id}/favourite",
    Spec(
        who=Who.VIEWER,
        in_its_tenant=True,
        body=Star,
        errors=(NotFound, NotPermitted),
        example={"favourite": "yes", "back": ""},
        example_path=DONE,
    ),
)
async def star_run(ask: Ask) -> GoTo:
    """Make a run of yours a favourite, or let it go."""
    sent, words = ask.body(Star), words_of(ask)
    change = RunChange(is_favourite=sent.favourite == "yes")
    await ask.deps.runs.change(ask.asker, words.kind, run_number(ask), change)
    return GoTo(own_page(sent.back) or words.folder)


async def _page(ask: Ask, words: Words, wanted: Wanted, number: int) -> RunPage:
    """Read one page alone; without a tenant, there is nothing to be seen."""
    given = wanted.model_dump(exclude={"tag", "state", "favourite", "page"})
    asked = RunQuestion(
        tenant=ask.tenant,
        tags=(wanted.tag,) if wanted.tag else (),
        states=(wanted.state,) if wanted.state else (),
        is_favourite=True if wanted.favourite else None,
        page=number,
        per_page=PER_PAGE,
        **given,
    )
    return await ask.deps.runs.search(ask.asker, words.kind, asked)
