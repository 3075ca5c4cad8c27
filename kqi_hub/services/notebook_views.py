"""A notebook joined with what Slurm said last: why it waits, time left, cost."""

from dataclasses import dataclass

from kqi_hub.domain.job import Job
from kqi_hub.domain.money import Price
from kqi_hub.domain.notebook_list import status_of
from kqi_hub.domain.notebooks import Choices, Notebook, Session
from kqi_hub.domain.queues import names_of
from kqi_hub.domain.reasons import Explained, explain
from kqi_hub.services.board import Picture
from kqi_hub.services.pricing import Pricing


@dataclass(frozen=True, slots=True)
class NotebookView:
    """A notebook as lists and pages show it, at one moment.

    `choices` are those that count: of the live session, else the notebook's own.
    `cost` is what the latest session has cost so far, in micro-currency; None where
    the queue has no rate.
    """

    notebook: Notebook
    choices: Choices
    status: str
    why: Explained | None = None
    ends_at: float | None = None
    left_s: float | None = None
    price: Price | None = None
    cost: int | None = None

    @property
    def actions(self) -> tuple[str, ...]:
        """Return what its owner can do with it now."""
        session = self.notebook.session
        if session is None or not session.is_live:
            return ("start", "rerun", "change", "copy", "delete")
        opens = session.is_ready and session.stopping is None
        return (*(("open",) if opens else ()), "stop", "change", "copy")


@dataclass(frozen=True, slots=True)
class PastSession:
    """One run in the history: for how long, at what price, for how much."""

    session: Session
    ran_s: float | None
    price: Price | None
    cost: int | None


def view_of(
    notebook: Notebook, picture: Picture, pricing: Pricing, now: float
) -> NotebookView:
    """Join a notebook with the picture."""
    session = notebook.session
    is_live = session is not None and session.is_live
    choices = session.chosen if session is not None and is_live else notebook.choices
    job = job_of(session, picture) if session is not None and is_live else None
    runs = job is not None and not job.is_waiting
    ends_at = float(job.ends_at) if job is not None and runs and job.ends_at else None
    return NotebookView(
        notebook=notebook,
        choices=choices,
        status=status_of(session),
        why=None if job is None else explain(job),
        ends_at=ends_at,
        left_s=None if ends_at is None else max(0.0, ends_at - now),
        price=_price(session if is_live else None, choices, job, picture, pricing),
        cost=_cost(session, job, picture, pricing, now),
    )


def past_of(
    session: Session, picture: Picture, pricing: Pricing, now: float
) -> PastSession:
    """Return a session as the history shows it; one that lives too."""
    job = job_of(session, picture) if session.is_live else None
    return PastSession(
        session=session,
        ran_s=session.ran_s(now),
        price=_price(session, session.chosen, job, picture, pricing),
        cost=_cost(session, job, picture, pricing, now),
    )


def price_to_note(session: Session, picture: Picture, pricing: Pricing) -> int | None:
    """Return what an hour costs now that its node is known; None when it is noted."""
    job = job_of(session, picture)
    if session.per_hour is not None or job is None or job.is_waiting:
        return None
    # Between its choice and its start a job has no node, which the price is of.
    price = (
        pricing.price_of_job(picture.scene, job) if names_of(job.node_list) else None
    )
    return None if price is None else price.per_hour


def job_of(session: Session, picture: Picture) -> Job | None:
    """Return the session's job while the picture has it live."""
    job = None if session.job_id is None else picture.job(session.job_id)
    # Slurm's numbers come again one day; the name with its key does not.
    return job if job is not None and job.name == session.job_name else None


def _noted(session: Session, picture: Picture, pricing: Pricing) -> Price | None:
    if session.per_hour is None:
        return None
    supply = picture.scene.supplies.get(session.chosen.queue)
    return pricing.noted(supply, session.per_hour)


def _price(
    session: Session | None,
    choices: Choices,
    job: Job | None,
    picture: Picture,
    pricing: Pricing,
) -> Price | None:
    noted = None if session is None else _noted(session, picture, pricing)
    if noted is not None:
        return noted
    if job is not None and not job.is_waiting:
        return pricing.price_of_job(picture.scene, job)
    supply = picture.scene.supplies.get(choices.queue)
    return None if supply is None else pricing.price_per_hour(supply, choices.shape)


def _cost(
    session: Session | None,
    job: Job | None,
    picture: Picture,
    pricing: Pricing,
    now: float,
) -> int | None:
    if session is None:
        return None
    if job is not None:
        noted = _noted(session, picture, pricing)
        return pricing.cost_so_far(picture.scene, job, now, noted)
    price = _price(session, session.chosen, None, picture, pricing)
    return None if price is None else price.cost(session.ran_s(now) or 0)
