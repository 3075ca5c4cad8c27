"""The site's terms of use, and one's own answer to them."""

from pydantic import Field

from handlers.ask import Ask
from handlers.route import Model, Routes, Spec
from kqi_hub.domain.errors import Conflict, NotFound
from kqi_hub.i18n import N_
from kqi_hub.services.terms_gate import Question

routes = Routes("/api/v1", tag=N_("You"))


class Terms(Model):
    """The terms of use that are in force."""

    version: str = Field(description="Which version it is.")
    text: str = Field(description="The terms, plain text or plain Markdown.")
    accepted_at: int | None = Field(
        description="When you accepted them, in seconds since 1970."
    )


class Acceptance(Model):
    """That one has read a version and accepts it."""

    version: str = Field(max_length=40, description="Which version you accept.")


@routes.get("/terms", Spec(answer=Terms, errors=(NotFound,), before_terms=True))
async def show_terms(ask: Ask) -> Terms:
    """Show the terms of use, and whether you have accepted them."""
    return _shown(await ask.deps.account.terms.question(ask.me.person))


@routes.post(
    "/me/terms",
    Spec(
        body=Acceptance,
        answer=Terms,
        errors=(Conflict, NotFound),
        before_terms=True,
        example={"version": "2026-11"},
    ),
)
async def accept_terms(ask: Ask) -> Terms:
    """Accept the terms of use."""
    sent = ask.body(Acceptance)
    return _shown(await ask.deps.account.terms.accept(ask.who, sent.version))


def _shown(question: Question) -> Terms:
    at = question.accepted_at
    return Terms(
        version=question.terms.version,
        text=question.terms.text,
        accepted_at=None if at is None else int(at),
    )
