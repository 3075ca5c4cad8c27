"""The terms of use: read, then accept or leave."""

from typing import Literal

from pydantic import Field

from handlers.ask import Ask, GoTo, Page
from handlers.own_page import own_page
from handlers.problem import problem_of
from handlers.route import Model, Routes, Spec
from kqi_hub.domain.errors import Conflict, KqiError, NotFound
from kqi_hub.domain.terms_text import blocks
from kqi_hub.i18n import N_

routes = Routes(tag=N_("Pages"))


class Wanted(Model):
    """The page that somebody was led away from."""

    next: str = Field("", max_length=1000)


class Agreement(Wanted):
    """That one has read a version, and agrees."""

    version: str = Field(max_length=40)
    agree: Literal["yes"]


@routes.get("/terms", Spec(query=Wanted, errors=(NotFound,), before_terms=True))
async def show_terms_of_use(ask: Ask) -> Page:
    """Show the terms of use, and the form that accepts them."""
    return await _terms(ask, ask.query(Wanted).next)


@routes.post(
    "/terms",
    Spec(
        body=Agreement,
        errors=(Conflict, NotFound),
        before_terms=True,
        example={"version": "2026-11", "agree": "yes"},
    ),
)
async def agree_to_terms(ask: Ask) -> Page | GoTo:
    """Accept the terms of use, and go on to the page that was wanted."""
    sent = ask.body(Agreement)
    try:
        await ask.deps.account.terms.accept(ask.who, sent.version)
    except Conflict as error:
        return await _terms(ask, sent.next, error)
    return GoTo(own_page(sent.next))


async def _terms(ask: Ask, wanted: str, error: KqiError | None = None) -> Page:
    question = await ask.deps.account.terms.question(ask.me.person)
    values = {
        "terms": question.terms,
        "blocks": blocks(question.terms.text),
        "accepted_at": question.accepted_at,
        "next": own_page(wanted),
        "problem": error and problem_of(error, ask.texts, ""),
    }
    return Page("pages/terms.html", values, error.status if error else 200)
