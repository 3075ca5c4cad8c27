"""What the runner in a job exchanges its ticket at."""

from typing import Final

from pydantic import Field

from handlers.access import Who
from handlers.ask import Ask
from handlers.route import Model, Routes, Spec
from kqi_hub.domain.job_tokens import LONGEST_TICKET, NoJobToken, TokenAsked
from kqi_hub.i18n import N_

routes = Routes("/api/v1", tag=N_("Site"))
_LARGEST: Final = 2**53


class Ticket(Model):
    """What the runner in a job knows of it."""

    run: int = Field(ge=1, le=_LARGEST, description="The run's number.")
    job: int = Field(ge=1, le=_LARGEST, description="The number of its job.")
    ticket: str = Field(
        min_length=1, max_length=LONGEST_TICKET, description="The job's ticket."
    )


class GivenToken(Model):
    """A token for the command of a running job."""

    token: str = Field(description="The token itself; it is given once.")
    expires_at: int = Field(description="When it stops working at the latest.")


@routes.post(
    "/job-token",
    Spec(
        who=Who.ANYBODY,
        body=Ticket,
        answer=GivenToken,
        errors=(NoJobToken,),
        body_limit=1024,
        example={"run": 1, "job": 90, "ticket": "a-ticket-of-a-job"},
    ),
)
async def exchange_ticket(ask: Ask) -> GivenToken:
    """Exchange the ticket of a running job for a token, once; the runner does it."""
    sent = ask.body(Ticket)
    asked = TokenAsked(sent.ticket, sent.run, sent.job)
    token = await ask.deps.job_tokens.exchange(asked, ask.address)
    return GivenToken(token=token.word, expires_at=token.expires_at)
