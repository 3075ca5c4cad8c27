"""A notebook joined with what Slurm said last: why it waits, time left, cost."""

from dataclasses import dataclass

from kqi_hub.domain.costs import Cost, JobMark
from kqi_hub.domain.job import Job
from kqi_hub.domain.job_records import JobRecord
from kqi_hub.domain.money import Price
from kqi_hub.domain.notebook_list import status_of
from kqi_hub.domain.notebooks import Choices, Notebook, Session
from kqi_hub.domain.reasons import Explained, explain
from kqi_hub.services.board import Picture
from kqi_hub.services.costs import Ours
from kqi_hub.services.pricing import Pricing, payer_of, record_of_past


@dataclass(frozen=True, slots=True)
class NotebookView:
    """A notebook as lists and pages show it, at one moment.

    `choices` are those that count: of the live session, else the notebook's own.
    `cost` is what the latest session has cost so far, in micro-currency; None where
    the queue has no rate. `is_billed`: it has ended, and the book has it so.
    """

    notebook: Notebook
    choices: Choices
    status: str
    why: Explained | None = None
    ends_at: float | None = None
    left_s: float | None = None
    price: Price | None = None
    cost: int | None = None
    is_billed: bool = False

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
    is_billed: bool


def view_of(
    notebook: Notebook, picture: Picture, pricing: Pricing, now: float, cost: Cost
) -> NotebookView:
    """Join a notebook with the picture and the cost of its latest session."""
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
        # What has ended tells what was paid; a start would cost the price of now.
        price=_price(notebook.owner, choices, job, picture, pricing),
        cost=None if session is None else cost.amount,
        is_billed=cost.is_billed,
    )


def past_of(
    session: Session, picture: Picture, pricing: Pricing, now: float, cost: Cost
) -> PastSession:
    """Return a session as the history shows it; one that lives too."""
    job = job_of(session, picture) if session.is_live else None
    supply = picture.scene.supplies.get(session.chosen.queue)
    had = cost.price(supply is not None and supply.partition.exclusive)
    like = _price(session.owner, session.chosen, job, picture, pricing)
    return PastSession(
        session=session,
        ran_s=session.ran_s(now),
        price=like if had is None or job is not None else had,
        cost=cost.amount,
        is_billed=cost.is_billed,
    )


def ours_of(session: Session | None, picture: Picture, now: float) -> Ours:
    """Return what the cost of a session depends on."""
    if session is None or session.job_id is None:
        return Ours(ended_at=None if session is None else session.ended_at)
    return Ours(
        JobMark(session.job_name, str(session.job_id), session.owner),
        session.job_id,
        job_of(session, picture) if session.is_live else None,
        _record_of(session, picture, now),
        session.ended_at,
    )


def _record_of(session: Session, picture: Picture, now: float) -> JobRecord | None:
    """Return what accounting may have of its job, as far as the session tells."""
    began, chosen, scene = session.began_at, session.chosen, picture.scene
    if began is None:
        return None
    ended = now if session.ended_at is None else session.ended_at
    return record_of_past(
        scene,
        payer_of(scene, session.owner, chosen.tenant, chosen.queue),
        (chosen.queue, session.node),
        chosen.shape,
        (int(began), int(max(began, ended))),
    )


def job_of(session: Session, picture: Picture) -> Job | None:
    """Return the session's job while the picture has it live."""
    job = None if session.job_id is None else picture.job(session.job_id)
    # Slurm's numbers come again one day; the name with its key does not.
    return job if job is not None and job.name == session.job_name else None


def _price(
    owner: str, choices: Choices, job: Job | None, picture: Picture, pricing: Pricing
) -> Price | None:
    """Return the price of an hour: the job's now, or that of the like."""
    if job is not None and not job.is_waiting:
        return pricing.price_of_job(picture.scene, job)
    supply = picture.scene.supplies.get(choices.queue)
    if supply is None:
        return None
    payer = payer_of(picture.scene, owner, choices.tenant, choices.queue)
    return pricing.price_per_hour(supply, choices.shape, payer)
