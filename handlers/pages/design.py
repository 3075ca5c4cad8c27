"""Every part that pages are made of, in every state, for those who build pages."""

from dataclasses import replace
from typing import Final

from handlers.access import Who
from handlers.ask import Ask, Page
from handlers.pages.notebooks.steps import Step, steps_of
from handlers.problem import Problem
from handlers.route import Routes, Spec
from kqi_hub.domain.notebooks import Cause, Choices, Phase, Session
from kqi_hub.i18n import N_

routes = Routes(tag=N_("Pages"))
_COLOURS: Final = (
    *("ground", "surface", "sunken", "line", "ink", "ink-soft", "accent", "mark"),
    *("good", "busy", "wait", "bad", "idle", "odd"),
)
_ASKED_AT: Final = 1_795_251_600
_JOBS: Final = (
    {"id": 48213, "name": "resnet50-ablation", "kind": "busy", "gpus": 4, "s": 5025},
    {"id": 48209, "name": "tokenize-corpus", "kind": "good", "gpus": 0, "s": 812},
    {"id": 48207, "name": "llm-finetune-7b", "kind": "wait", "gpus": 8, "s": 0},
    {"id": 48198, "name": "eval-checkpoints", "kind": "bad", "gpus": 1, "s": 96},
)


@routes.get("/design", Spec(who=Who.OPERATOR))
async def show_design(ask: Ask) -> Page:
    """Show every part that pages are made of, in every state."""
    say = ask.texts.say
    words = {
        "busy": say(N_("Running")),
        "good": say(N_("Completed")),
        "wait": say(N_("Waiting")),
        "bad": say(N_("Failed")),
        "idle": say(N_("Cancelled")),
        "odd": say(N_("Unknown")),
    }
    values = {
        "colours": _COLOURS,
        "words": words,
        "jobs": _JOBS,
        "problem": _problem(ask),
        "starts": _starts(ask),
    }
    return Page("pages/design.html", values)


def _starts(ask: Ask) -> tuple[tuple[Step, ...], ...]:
    """Return the steps of a start under way, and of one that failed."""
    session = Session(
        id=1,
        notebook_id=1,
        owner="",
        key="",
        chosen=Choices("", "", ""),
        asked_at=_ASKED_AT,
        changed_at=_ASKED_AT,
        reached=((Phase.QUEUED, _ASKED_AT), (Phase.NODE, _ASKED_AT + 95)),
    )
    failed = replace(session, ended_at=_ASKED_AT + 120, cause=Cause.FAILED)
    return steps_of(session, ask.texts), steps_of(failed, ask.texts)


def _problem(ask: Ask) -> Problem:
    say = ask.texts.say
    return Problem(
        status=400,
        code="invalid-input",
        title=say(N_("Not understood")),
        detail=say(N_("Some of what was sent is not right.")),
        hint=say(N_("Correct the fields that are named and send it again.")),
        request_id="00000000-0000-0000-0000-000000000000",
        fields=(("wrong", "string_too_long", say(N_("This must be a whole number."))),),
    )
