"""One queue in full, and the button that asks for a fresh look."""

from typing import Final

from handlers.ask import Ask, GoTo, Page, Values
from handlers.own_page import own_page
from handlers.pages.queue_views import (
    ShapeQuery,
    estimated,
    limit_lines,
    lines,
    waiting_lines,
)
from handlers.route import Model, Routes, Spec
from kqi_hub.domain.errors import ClusterUnreachable, NotFound
from kqi_hub.i18n import N_

routes = Routes(tag=N_("Pages"))
_ASKED: Final = N_("A fresh look at Slurm is asked for; it takes some seconds.")


class Back(Model):
    """The page to come back to."""

    back: str = ""


@routes.get(
    "/queues/{queue}",
    Spec(query=ShapeQuery, errors=(NotFound,), example_path={"queue": "jupyter"}),
)
async def show_queue_page(ask: Ask) -> Page:
    """Show a queue: nodes, limits, what waits and why, what a job would cost."""
    queues, wanted = ask.deps.queues, ask.query(ShapeQuery)
    person, name = ask.me.person, ask.path["queue"]
    picture, queue = await queues.one(name, person, ask.tenant)
    estimates = await estimated(ask, picture, [queue], wanted)

    def values() -> Values:
        [line] = lines(ask, picture, estimates)
        waiting = queues.jobs_waiting(picture, name, person)
        return {
            "picture": picture,
            "line": line,
            "limits": limit_lines(ask, queue),
            "waiting": waiting_lines(ask, waiting, picture),
            "wanted": wanted,
            "rates": queues.pricing.rates_of(name),
            "has_rates": queues.pricing.has_rates,
            "billing": queues.pricing.billing,
        }

    return Page("pages/queue.html", values)


@routes.post(
    "/queues", Spec(body=Back, errors=(ClusterUnreachable,), example={"back": ""})
)
async def ask_for_fresh_look(ask: Ask) -> GoTo:
    """Ask the worker for a fresh look, and go back."""
    await ask.deps.queues.refresh()
    return GoTo(own_page(ask.body(Back).back), _ASKED)
