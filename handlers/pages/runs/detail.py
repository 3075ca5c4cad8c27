"""The page of one run: its state, its log, what was chosen, what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from handlers.access import Who
from handlers.ask import Ask, Page, Values
from handlers.pages.job_log import NO_LOG, Log, log_of_job
from handlers.pages.lineage import Around, around
from handlers.pages.notebooks.offers import said
from handlers.pages.notebooks.picture import Aged
from handlers.pages.notebooks.refusal import refusal_of
from handlers.pages.notebooks.words import Status
from handlers.pages.runs.commits import commit_page
from handlers.pages.runs.kinds import DONE, RunRoutes, Words, run_number, words_of
from handlers.pages.runs.rows import row_of
from handlers.pages.runs.steps import steps_of
from handlers.pages.runs.words import sentence_of, status_of
from handlers.route import Spec
from kqi_hub.domain.data import Kind
from kqi_hub.domain.data_rules import LONGEST_TAG
from kqi_hub.domain.errors import Conflict, KqiError, NotFound
from kqi_hub.domain.job_logs import saved_log_name
from kqi_hub.domain.notebook_ends import end_in_words
from kqi_hub.domain.reasons import Explained
from kqi_hub.domain.run_states import cause_in_words
from kqi_hub.domain.runs import Run, RunEvent
from kqi_hub.i18n import N_
from kqi_hub.services.run_efficiency import SOURCE_WORDS
from kqi_hub.services.run_views import RunView

routes = RunRoutes(tag=N_("Runs"))
_TEMPLATE: Final = "pages/runs/detail.html"


@dataclass(frozen=True, slots=True)
class Waits:
    """Why it waits, in the reader's language."""

    text: str
    hint: str
    starts_at: int | None


@dataclass(frozen=True, slots=True)
class Used:
    """What it has used of what it asked for, and who measured that."""

    words: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True)
class Change:
    """A change of its state, in words."""

    at: float
    status: Status
    cause: str


@dataclass(frozen=True, slots=True)
class Linked:
    """Another run, as a page names it; `name` is empty where it is gone."""

    kind: str
    id: int
    name: str
    tenant: str


@routes.get(
    "/{run_id}",
    Spec(who=Who.VIEWER, in_its_tenant=True, errors=(NotFound,), example_path=DONE),
)
async def show_run(ask: Ask) -> Page:
    """Show a run: state, log, choices, results, parents and what was built on it."""
    return await run_page(ask)


async def run_page(ask: Ask, error: KqiError | None = None) -> Page:
    """Return the page of a run, with what a change of it was refused for."""
    words, number, runs = words_of(ask), run_number(ask), ask.deps.runs
    picture, view, family = await runs.with_family(ask.asker, words.kind, number)
    run = view.run
    events = await runs.events(ask.asker, words.kind, number)
    script = await _script(ask, view)
    graph = await _around(ask, run)
    tags = await runs.tags(ask.asker, run.spec.tenant)

    def values() -> Values:
        return {
            **frame_of(ask, words, view, error),
            "sentence": sentence_of(run, ask.texts),
            "steps": steps_of(run, events, ask.texts),
            "waits": _waits(ask, view.why),
            "used": used_in(ask, view),
            "end": _said_of_end(ask, run.detail),
            "ends_at": view.ends_at,
            "changes": [_change(ask, one) for one in reversed(events)],
            "log": log_of(ask, view),
            "script": script,
            "commit_page": commit_page(run.spec.source),
            "dataset_name": view.dataset_name,
            "parents": [
                Linked(one.parent.kind, one.parent.id, one.name, run.spec.tenant)
                for one in view.parents
            ],
            "children": _linked(family.children),
            "around": graph,
            "known_tags": [tag for tag in tags if tag not in run.tags],
            "longest_tag": LONGEST_TAG,
            "picture": Aged.of(picture),
        }

    return Page(_TEMPLATE, values, error.status if error else 200)


def frame_of(
    ask: Ask, words: Words, view: RunView, error: KqiError | None = None
) -> dict[str, object]:
    """Return what every page of a run shows."""
    return {
        "words": words,
        "run": view.run,
        "at": f"{words.folder}/{view.run.id}",
        "row": row_of(ask, view),
        "problem": refusal_of(ask, error),
    }


async def _around(ask: Ask, run: Run) -> Around:
    """Return what it was made from and used for; a run of nothing is in no graph."""
    try:
        return await around(ask, Kind(run.kind.value), run.id)
    except NotFound:
        return Around((), (), 0, 0)


async def _script(ask: Ask, view: RunView) -> str:
    """Return the script; empty while there is none. Others' are not shown."""
    if not view.is_mine:
        return ""
    try:
        return await ask.deps.runs.script(ask.asker, view.run.kind, view.run.id)
    except Conflict:
        return ""


def _waits(ask: Ask, found: Explained | None) -> Waits | None:
    if found is None:
        return None
    return Waits(said(ask, found.text), said(ask, found.hint), found.starts_at)


def used_in(ask: Ask, view: RunView) -> Used | None:
    """Return what a run has used, in words; None where nothing was measured."""
    found = view.efficiency
    if found is None:
        return None
    words = tuple(map(ask.texts.phrase, found.words))
    return Used(words, ask.texts.say(SOURCE_WORDS[found.source]))


def _said_of_end(ask: Ask, detail: str) -> tuple[str, str]:
    """Return what was said of an end in words, and Slurm's own word for it."""
    found = end_in_words(detail)
    if found is None:
        return ask.texts.say(detail), ""
    return ask.texts.phrase(found), detail


def _change(ask: Ask, event: RunEvent) -> Change:
    ours = cause_in_words(event.cause)
    cause = ask.texts.phrase(ours) if ours else _said_of_end(ask, event.cause)[0]
    return Change(event.at, status_of(event.state.value, ask.texts), cause)


def log_of(ask: Ask, view: RunView) -> Log:
    """Return whose log a page shows."""
    run = view.run
    if not run.slurm_id or not view.is_mine:
        return NO_LOG
    over = ask.texts.say(N_("The job has ended; nothing is added to its log any more."))
    is_over = run.ended_at is not None or not run.is_live
    ended = over if is_over else ""
    return log_of_job(run.owner, run.slurm_id, ended, _saved_as(run))


def _saved_as(run: Run) -> str:
    if run.preprocessing is not None and run.data is not None:
        return saved_log_name(run.kind, run.preprocessing, run.data)
    return saved_log_name(run.kind, run.id)


def _linked(runs: Sequence[Run]) -> list[Linked]:
    return [Linked(one.kind, one.id, one.name, one.spec.tenant) for one in runs]
