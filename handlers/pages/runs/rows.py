"""A run in one line: state, reason, time, cost."""

from dataclasses import dataclass

from handlers.ask import Ask
from handlers.pages.notebooks.money import hourly, in_money
from handlers.pages.notebooks.offers import said
from handlers.pages.notebooks.words import Status
from handlers.pages.runs.words import status_of
from kqi_hub.domain.runs import Run
from kqi_hub.services.run_views import RunView


@dataclass(frozen=True, slots=True)
class Row:
    """What lists and pages show of a run."""

    run: Run
    status: Status
    is_mine: bool
    owner_name: str
    why: str
    ran_s: float | None
    waited_s: float
    left_s: float | None
    price: str
    cost: str
    is_provisional: bool
    actions: tuple[str, ...]


def row_of(ask: Ask, view: RunView) -> Row:
    """Return a run in one line."""
    cost = _cost(ask, view)
    return Row(
        run=view.run,
        status=status_of(view.status, ask.texts),
        is_mine=view.is_mine,
        owner_name=view.owner_name,
        why=said(ask, view.why.text) if view.why else "",
        ran_s=view.ran_s,
        waited_s=view.waited_s,
        left_s=view.left_s,
        price=hourly(ask, view.price),
        cost=cost,
        is_provisional=bool(view.cost and cost) and _is_open(view),
        actions=view.actions,
    )


def _is_open(view: RunView) -> bool:
    """Tell whether it has ended and may still cost something else on the bill."""
    return not view.run.is_live and not view.is_billed


def _cost(ask: Ask, view: RunView) -> str:
    """Return what it has cost; nothing of what has not begun, or has no rate."""
    has_none = view.cost is None or view.ran_s is None
    return "" if has_none else in_money(ask, view.cost or 0)
