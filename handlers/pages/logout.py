"""The way out: what runs is stopped or left, as the person says; then the hub's own."""

from typing import Final, Literal

from handlers.ask import Ask, GoTo, Page, Values
from handlers.pages.notebooks.money import in_money
from handlers.pages.notebooks.picture import Aged
from handlers.pages.notebooks.refusal import refusal_of
from handlers.pages.notebooks.rows import row_of
from handlers.route import Model, Routes, Spec
from kqi_hub.domain.errors import ClusterError, HubUnavailable, KqiError
from kqi_hub.i18n import N_

routes = Routes(tag=N_("Pages"))
_AWAY: Final = GoTo("logout", at_hub=True)


class Leaving(Model):
    """What is to become of the notebooks that run or wait."""

    notebooks: Literal["stop", "leave"]


@routes.get("/logout", Spec(before_terms=True))
async def show_way_out(ask: Ask) -> Page | GoTo:
    """Ask what becomes of notebooks that run; without any, log out at once."""
    return await _question(ask)


@routes.post(
    "/logout", Spec(body=Leaving, before_terms=True, example={"notebooks": "leave"})
)
async def log_out(ask: Ask) -> Page | GoTo:
    """Stop your notebooks or leave them running, and log out."""
    if ask.body(Leaving).notebooks == "stop":
        try:
            await ask.deps.notebooks.stop_all(ask.who)
        except (HubUnavailable, ClusterError) as error:
            # Whoever asked to stop everything must know that something still runs.
            return await _question(ask, error)
    return _AWAY


async def _question(ask: Ask, error: KqiError | None = None) -> Page | GoTo:
    live = await ask.deps.notebooks.live(ask.me.person)
    if not live and error is None:
        return _AWAY
    picture = await ask.deps.queues.board.current()

    def values() -> Values:
        hourly = sum(view.price.per_hour for view in live if view.price is not None)
        return {
            "rows": [row_of(ask, view) for view in live],
            "hourly": in_money(ask, hourly) if hourly else "",
            "stops": ask.deps.notebooks.stops_on_logout,
            "picture": Aged.of(picture),
            "problem": refusal_of(ask, error),
        }

    return Page("pages/notebooks/logout.html", values, error.status if error else 200)
