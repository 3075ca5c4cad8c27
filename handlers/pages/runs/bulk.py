"""Several runs at once: a tag given or taken; stopped or deleted, when that is sure."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import Field

from handlers.ask import Ask, GoTo, Page
from handlers.pages.runs.actions import Tagging, change_of
from handlers.pages.runs.kinds import RunRoutes, Words, words_of
from handlers.pages.runs.rows import Row, row_of
from handlers.problem import problem_of
from handlers.route import Model, Spec
from kqi_hub.domain.errors import Conflict, InvalidInput, NotFound, NotPermitted
from kqi_hub.domain.run_states import may_go_later
from kqi_hub.i18n import N_
from kqi_hub.services.run_views import RunView

routes = RunRoutes(tag=N_("Runs"))
_MOST: Final = 100
_LONGEST_NUMBER: Final = 18
_REFUSALS: Final = (Conflict, InvalidInput, NotFound, NotPermitted)
_DONE: Final = {
    "tag": N_("The tag {tag} was given to {count}."),
    "untag": N_("The tag {tag} was taken from {count}."),
    "stop": N_("Being stopped: {count}"),
    "delete": N_("Deleted: {count}"),
}


_DELETED_LATER: Final = N_(
    "To be deleted: {count}. Those that had not ended go when their jobs have."
)


class Many(Model):
    """Which runs, and what is to become of them."""

    ids: str = Field("", max_length=_MOST * (_LONGEST_NUMBER + 1))
    then: Literal["tag", "untag", "stop", "delete"]
    tag: str = Field("", max_length=100_000)
    called: Literal["stopped", "failed"] = Field("stopped", alias="as")
    sure: Literal["", "yes"] = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One of many: the run if it is to be seen, and what stands against the wish."""

    number: int
    row: Row | None
    against: str


@routes.post(
    "/bulk",
    Spec(
        body=Many,
        errors=(InvalidInput,),
        shows=True,
        example={"ids": "1", "then": "delete"},
    ),
)
async def change_many_runs(ask: Ask) -> Page | GoTo:
    """Tag several runs, or stop or delete them after showing what that means."""
    sent, words = ask.body(Many), words_of(ask)
    numbers = _numbers(sent.ids)
    if sent.then in {"stop", "delete"} and not sent.sure:
        looks = [await _look(ask, words, sent, one) for one in numbers]
        return _page(words, sent, looks)
    outcomes = [await _do(ask, words, sent, one) for one in numbers]
    if any(one.against for one in outcomes):
        return _page(words, sent, outcomes, is_done=True)
    way = f"{words.folder}?tenant={ask.tenant}" if ask.tenant else words.folder
    values = {"count": str(len(outcomes)), "tag": sent.tag}
    is_later = sent.then == "delete" and any(map(_has_job, outcomes))
    return GoTo(way, _DELETED_LATER if is_later else _DONE[sent.then], values)


def _page(
    words: Words, sent: Many, outcomes: list[Outcome], is_done: bool = False
) -> Page:
    possible = [one for one in outcomes if not one.against]
    values = {
        "words": words,
        "then": sent.then,
        "ends_jobs": any(map(_has_job, possible)),
        "is_done": is_done,
        "possible": possible,
        "refused": [one for one in outcomes if one.against],
    }
    return Page("pages/runs/many.html", values)


async def _look(ask: Ask, words: Words, sent: Many, number: int) -> Outcome:
    """Say what would become of a run, without touching it."""

    async def look() -> RunView:
        found = await ask.deps.runs.consequences(ask.asker, words.kind, number)
        _, view = await ask.deps.runs.one(ask.asker, words.kind, number)
        if sent.then == "stop" and "stop" not in view.actions:
            raise Conflict("This run has ended.", "There is nothing to stop.")
        if sent.then == "delete" and found.is_going:
            raise Conflict(
                "This run is being deleted already.", "It goes when its job has ended."
            )
        if sent.then == "delete" and found.blockers:
            raise Conflict("Other runs are built on this one.", "Delete them first.")
        return view

    return await _tried(ask, words, number, look)


async def _do(ask: Ask, words: Words, sent: Many, number: int) -> Outcome:
    runs, about = ask.deps.runs, (ask.asker, words.kind, number)

    async def act() -> RunView:
        _, view = await runs.one(*about)
        if sent.then == "stop":
            return await runs.stop(*about, as_failed=sent.called == "failed")
        if sent.then == "delete":
            await runs.delete(*about)
            return view
        tagging = Tagging(tag=sent.tag, then=sent.then)
        return await runs.change(*about, change_of(tagging))

    return await _tried(ask, words, number, act)


async def _tried(
    ask: Ask, words: Words, number: int, act: Callable[[], Awaitable[RunView]]
) -> Outcome:
    """Return what came of it, with the reason where nothing did."""
    try:
        return Outcome(number, row_of(ask, await act()), "")
    except _REFUSALS as error:
        found = problem_of(error, ask.texts, ask.request_id)
        against = f"{found.detail} {found.hint}".strip()
    try:
        _, view = await ask.deps.runs.one(ask.asker, words.kind, number)
    except NotFound:
        return Outcome(number, None, against)
    return Outcome(number, row_of(ask, view), against)


def _has_job(one: Outcome) -> bool:
    """Tell whether a job has to be ended before the run can go."""
    return one.row is not None and may_go_later(one.row.run)


def _numbers(text: str) -> tuple[int, ...]:
    words = [word for word in text.split(",") if word]
    if not words or not all(_is_number(word) for word in words) or len(words) > _MOST:
        raise InvalidInput(
            "This is not a choice of 1 to {most} runs.",
            "Choose them in the list again.",
            most=_MOST,
        )
    return tuple(dict.fromkeys(int(word) for word in words))


def _is_number(word: str) -> bool:
    return word.isascii() and word.isdigit() and len(word) <= _LONGEST_NUMBER
