"""The lists of runs: filtered, sorted and in pages by the server; and their stars."""

from typing import Final, Literal
from urllib.parse import parse_qsl, urlencode

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
from kqi_hub.domain.errors import Conflict, InvalidInput, NotFound, NotPermitted
from kqi_hub.domain.people import Role
from kqi_hub.domain.run_list import RunQuestion
from kqi_hub.domain.run_searches import (
    LONGEST_NAME,
    SHORTEST_NAME,
    RunSearch,
)
from kqi_hub.domain.runs import RunChange
from kqi_hub.i18n import N_
from kqi_hub.services.run_views import RunPage

routes = RunRoutes(tag=N_("Runs"))
PER_PAGE: Final = 50
# Conditions that are folded away while nobody uses them.
_DEEP: Final = (
    "id", "memo", "command", "dataset", "parent_id", "parent_name", "queue",
)  # fmt: skip
# More fields than a search can have.
_MOST: Final = 40
_FAVOURITE: Final = {"yes": True, "no": False}


class Wanted(WantedList):
    """What of a list of runs is looked for."""

    command: str = Field("", max_length=200)
    owner: str = Field("", max_length=200)
    queue: str = Field("", max_length=200)
    asked_at: str = Field("", max_length=200)
    parent_id: str = Field("", max_length=200)
    parent_name: str = Field("", max_length=200)
    dataset: str = Field("", max_length=200)
    tag: str = Field("", max_length=1000)
    state: str = Field("", max_length=400)
    favourite: Literal["", "yes", "no"] = ""

    @property
    def is_deep(self) -> bool:
        """Tell whether a condition is used that is folded away otherwise."""
        return any(getattr(self, name) for name in _DEEP)

    @property
    def query(self) -> str:
        """Return what is looked for as the list's address has it."""
        said = self.model_dump(exclude={"page"}, exclude_defaults=True)
        return urlencode(sorted(said.items()))

    def question(self, tenant: str | None, number: int = 1) -> RunQuestion:
        """Return it as the services know it."""
        given = self.model_dump(exclude={"tag", "state", "favourite", "page"})
        return RunQuestion(
            tenant=tenant,
            tags=(self.tag,) if self.tag else (),
            states=tuple(one.strip() for one in self.state.split(",") if one.strip()),
            is_favourite=_FAVOURITE.get(self.favourite),
            page=number,
            per_page=PER_PAGE,
            **given,
        )


class Named(Model):
    """A search to be kept under a name; `query` as the list's address has it."""

    name: str = Field("", max_length=1000)
    query: str = Field("", max_length=10_000)


class Dropped(Model):
    """A search to be forgotten, and where one was."""

    name: str = Field("", max_length=1000)
    back: str = Field("", max_length=4000)


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
    searches = await ask.deps.searches.list(ask.me.person, words.kind)
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
            "searches": searches,
            "name_lengths": (SHORTEST_NAME, LONGEST_NAME),
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


@routes.post(
    "/searches",
    Spec(
        body=Named,
        errors=(InvalidInput, Conflict),
        example={"name": "failed lately", "query": "state=failed"},
    ),
)
async def keep_search(ask: Ask) -> GoTo:
    """Keep a search of this list under a name; another of this name is replaced."""
    sent, words = ask.body(Named), words_of(ask)
    wanted = _read(sent.query)
    search = RunSearch(sent.name, wanted.query)
    asked = wanted.question(None)
    kept = await ask.deps.searches.keep(ask.me.person, words.kind, search, asked)
    said = N_("Kept: {name}")
    return GoTo(f"{words.folder}?{kept.query}", said, {"name": kept.name})


@routes.post("/searches/delete", Spec(body=Dropped, example={"name": "failed lately"}))
async def drop_search(ask: Ask) -> GoTo:
    """Delete a search that you keep; one that is not there is no error."""
    sent, words = ask.body(Dropped), words_of(ask)
    await ask.deps.searches.drop(ask.me.person, words.kind, sent.name)
    return GoTo(own_page(sent.back) or words.folder)


def _read(query: str) -> Wanted:
    try:
        return Wanted.model_validate(dict(parse_qsl(query, max_num_fields=_MOST)))
    except ValueError:
        raise InvalidInput(
            "This is no search of this list.", "Look for something first."
        ) from None


async def _page(ask: Ask, words: Words, wanted: Wanted, number: int) -> RunPage:
    """Read one page alone; without a tenant, there is nothing to be seen."""
    asked = wanted.question(ask.tenant, number)
    return await ask.deps.runs.search(ask.asker, words.kind, asked)
