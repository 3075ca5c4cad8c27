"""Cancel, hold and release from the list; what runs is cancelled after a question."""

from dataclasses import replace
from typing import Final

from pydantic import Field

from handlers.ask import Ask, GoTo, Page
from handlers.own_page import own_page
from handlers.pages.jobs.rows import row_of
from handlers.pages.notebooks.refusal import refusal_of
from handlers.route import Model, Routes, Spec
from kqi_hub.domain.errors import (
    ClusterError,
    Conflict,
    DoorError,
    KqiError,
    NotFound,
)
from kqi_hub.domain.own_jobs import Action
from kqi_hub.i18n import N_

routes = Routes(tag=N_("Jobs"))
_EXAMPLE: Final = {"job": "12_3"}
_SAID: Final = {
    Action.CANCEL: N_("Job {job} is being cancelled."),
    Action.HOLD: N_("Job {job} is held: it starts when you release it."),
    Action.RELEASE: N_("Job {job} is released: it waits for its turn again."),
}


class Back(Model):
    """The list as it was looked at."""

    back: str = Field("", max_length=1000)


_ACTING: Final = Spec(
    body=Back,
    errors=(NotFound, Conflict, ClusterError, DoorError),
    example_path=_EXAMPLE,
    example={"back": ""},
)


@routes.get(
    "/jobs/{job}/cancel",
    Spec(query=Back, errors=(NotFound,), example_path=_EXAMPLE),
)
async def show_cancel(ask: Ask) -> Page:
    """Show what is lost when a job is cancelled."""
    return await _sure(ask, ask.query(Back).back)


@routes.post("/jobs/{job}/cancel", _ACTING)
async def cancel_job(ask: Ask) -> Page | GoTo:
    """Cancel a job, one task, or a whole array."""
    return await _act(ask, Action.CANCEL)


@routes.post("/jobs/{job}/hold", _ACTING)
async def hold_job(ask: Ask) -> Page | GoTo:
    """Keep a waiting job from starting."""
    return await _act(ask, Action.HOLD)


@routes.post("/jobs/{job}/release", replace(_ACTING, example_path={"job": "12_4"}))
async def release_job(ask: Ask) -> Page | GoTo:
    """Let a held job start."""
    return await _act(ask, Action.RELEASE)


async def _act(ask: Ask, action: Action) -> Page | GoTo:
    jobs, person, number = ask.deps.own_jobs, ask.me.person, ask.path["job"]
    back = ask.body(Back).back
    acts = {
        Action.CANCEL: jobs.cancel,
        Action.HOLD: jobs.hold,
        Action.RELEASE: jobs.release,
    }
    try:
        await acts[action](person, number)
    except (Conflict, ClusterError, DoorError) as error:
        return await _sure(ask, back, error)
    return GoTo(own_page(back) or "jobs", _SAID[action], {"job": number})


async def _sure(ask: Ask, back: str, error: KqiError | None = None) -> Page:
    number = ask.path["job"]
    _, view = await ask.deps.own_jobs.one(ask.me.person, number)
    values = {
        "row": row_of(ask, view),
        "number": number,
        "back": own_page(back) or "jobs",
        "problem": refusal_of(ask, error),
        "can_cancel": Action.CANCEL in view.actions,
    }
    return Page("pages/jobs/sure.html", values, error.status if error else 200)
