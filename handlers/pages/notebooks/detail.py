"""The page of one notebook: its state or start, its log, its choices, its past."""

from dataclasses import dataclass
from typing import Final

from handlers.ask import Ask, Page
from handlers.pages.job_log import NO_LOG, Log, log_of_job
from handlers.pages.notebooks.money import in_money
from handlers.pages.notebooks.number import EXAMPLE, notebook_number
from handlers.pages.notebooks.offers import said
from handlers.pages.notebooks.picture import Aged
from handlers.pages.notebooks.refusal import refusal_of
from handlers.pages.notebooks.rows import row_of
from handlers.pages.notebooks.steps import steps_of
from handlers.pages.notebooks.words import (
    Status,
    end_of,
    seen_of,
    sentence_of,
    status_of,
)
from handlers.route import Routes, Spec
from kqi_hub.domain.errors import KqiError, NotFound
from kqi_hub.domain.job_logs import saved_log_name
from kqi_hub.domain.notebooks import Session
from kqi_hub.domain.reasons import Explained
from kqi_hub.i18n import N_
from kqi_hub.services.notebook_neighbours import neighbours_of
from kqi_hub.services.notebook_views import PastSession
from kqi_hub.services.stray_jobs import strays_of

routes = Routes(tag=N_("Notebooks"))
_TEMPLATE: Final = "pages/notebooks/detail.html"
_NEVER: Final = N_("It has not been started yet. Start it when you need it.")


@dataclass(frozen=True, slots=True)
class Why:
    """Why it waits, in the reader's language."""

    text: str
    hint: str
    starts_at: int | None


@dataclass(frozen=True, slots=True)
class Past:
    """One session of the history."""

    session: Session
    status: Status
    ran_s: float | None
    cost: str
    is_provisional: bool
    # In words, and Slurm's own word.
    end: tuple[str, str]


@routes.get("/notebooks/{notebook_id}", Spec(errors=(NotFound,), example_path=EXAMPLE))
async def show_notebook(ask: Ask) -> Page:
    """Show a notebook: state, start, log, choices and history."""
    return await detail_page(ask, notebook_number(ask))


async def detail_page(ask: Ask, number: int, error: KqiError | None = None) -> Page:
    """Return the page of a notebook, with what its start was refused for."""
    picture, view = await ask.deps.notebooks.one(ask.me.person, number)
    past = await ask.deps.notebooks.history(ask.me.person, number)
    session = view.notebook.session
    say = ask.texts
    values = {
        "notebook": view.notebook,
        "row": row_of(ask, view),
        "sentence": sentence_of(session, say) if session else say.say(_NEVER),
        "phases": steps_of(session, say) if session else (),
        "why": _why(ask, view.why),
        "ends_at": view.ends_at,
        "end": end_of(session, say) if session else ("", ""),
        "seen": seen_of(session, say) if session else (),
        "state": _state(session),
        "log": _log(ask, session),
        "neighbours": neighbours_of(session, picture, ask.deps.queues.rules, ask.me),
        "strays": strays_of(view.notebook, [one.session for one in past], picture),
        "history": [_past(ask, one) for one in past],
        "picture": Aged.of(picture),
        "problem": refusal_of(ask, error),
    }
    return Page(_TEMPLATE, values, error.status if error else 200)


def _why(ask: Ask, found: Explained | None) -> Why | None:
    if found is None:
        return None
    return Why(said(ask, found.text), said(ask, found.hint), found.starts_at)


def _state(session: Session | None) -> str:
    """Return what the script that opens notebooks has to know."""
    if session is None or not session.is_live or session.stopping is not None:
        return "over"
    return "ready" if session.is_ready else "starting"


def _log(ask: Ask, session: Session | None) -> Log:
    if session is None or session.job_id is None:
        return NO_LOG
    over = N_("The session has ended; nothing is added to its log any more.")
    ended = "" if session.is_live else ask.texts.say(over)
    name = saved_log_name("notebook", session.notebook_id)
    return log_of_job(session.owner, str(session.job_id), ended, name)


def _past(ask: Ask, past: PastSession) -> Past:
    session, say = past.session, ask.texts
    cost = "" if past.cost is None else in_money(ask, past.cost)
    is_free = past.price is not None and past.price.is_free
    return Past(
        session=session,
        status=status_of(session, say),
        ran_s=past.ran_s,
        cost=say.say(N_("free")) if is_free else cost,
        is_provisional=bool(past.cost) and not (session.is_live or past.is_billed),
        end=end_of(session, say),
    )
