"""A notebook in one line: state, reason, time, cost, where it opens."""

from dataclasses import dataclass

from handlers.ask import Ask
from handlers.pages.notebooks.money import hourly, in_money
from handlers.pages.notebooks.offers import said
from handlers.pages.notebooks.words import Status, end_of, status_of
from kqi_hub.domain.notebooks import Choices, Notebook, Session
from kqi_hub.services.notebook_views import NotebookView


@dataclass(frozen=True, slots=True)
class Row:
    """What the list and the page of logging out show of a notebook."""

    notebook: Notebook
    choices: Choices
    status: Status
    opens: bool
    is_stopping: bool
    why: str
    left_s: float | None
    price: str
    cost: str
    is_provisional: bool
    most: str


def row_of(ask: Ask, view: NotebookView) -> Row:
    """Return a notebook in one line."""
    session = view.notebook.session
    is_stopping = session is not None and session.stopping is not None
    return Row(
        notebook=view.notebook,
        choices=view.choices,
        status=status_of(session, ask.texts),
        opens=session is not None and session.is_ready and not is_stopping,
        is_stopping=is_stopping,
        why=said(ask, view.why.text) if view.why else _end(ask, session),
        left_s=view.left_s,
        price=hourly(ask, view.price),
        cost="" if view.cost is None else in_money(ask, view.cost),
        is_provisional=bool(view.cost)
        and not view.notebook.is_live
        and not view.is_billed,
        most=_most(ask, view),
    )


def _end(ask: Ask, session: Session | None) -> str:
    """Return what Slurm said of the end, in words; sentences of others are long."""
    if session is None or session.is_live:
        return ""
    words, slurms = end_of(session, ask.texts)
    return words if slurms else ""


def _most(ask: Ask, view: NotebookView) -> str:
    """Return the most that it can still cost; empty where that is not known."""
    if view.price is None or view.price.is_free or view.left_s is None:
        return ""
    return in_money(ask, view.price.cost(view.left_s))
