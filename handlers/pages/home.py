"""The first page: which queue has room, what it costs; who you are, where you work."""

import asyncio
import time
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from pydantic import Field

from handlers.access import Who
from handlers.ask import Ask, GoTo, Page, Values
from handlers.pages.queue_views import ShapeQuery, estimated, lines
from handlers.route import Model, Routes, Spec
from kqi_hub.domain.people import Role
from kqi_hub.i18n import N_

routes = Routes(tag=N_("Pages"))
# Percent of a budget: the colour of the notice.
_NEARLY: Final = 80
_GONE: Final = 100
_MAY: Final = {
    Role.VIEWER: N_("Look at jobs, data and results."),
    Role.MEMBER: N_("Look at everything, and run jobs of your own."),
    Role.MANAGER: N_("Run jobs, and look after the tenant's people and data."),
}


class Dismissed(Model):
    """The step of a budget that was read."""

    step: int = Field(0, ge=0, le=100)


@dataclass(frozen=True, slots=True)
class Told:
    """What is said of a budget, and how bad it is."""

    kind: str
    said: str
    tenant: str
    step: int


@routes.get("/", Spec(query=ShapeQuery))
async def show_home(ask: Ask) -> Page:
    """Show the queues: what is free, what it costs, how long you would wait."""
    queues, wanted = ask.deps.queues, ask.query(ShapeQuery)
    picture, found = await queues.list(ask.me.person, ask.tenant)
    estimates = await estimated(ask, picture, found, wanted)
    told = await _told(ask)

    def values() -> Values:
        return {
            "may": {role: ask.texts.say(text) for role, text in _MAY.items()},
            "picture": picture,
            "lines": lines(ask, picture, estimates),
            "wanted": wanted,
            "has_rates": queues.pricing.has_rates,
            "billing": queues.pricing.billing,
            "told": told,
        }

    return Page("pages/home.html", values)


@routes.post(
    "/budgets/{name}/dismiss",
    Spec(
        who=Who.PERSON,
        body=Dismissed,
        example_path={"name": "vision"},
        example={"step": "80"},
    ),
)
async def dismiss_budget(ask: Ask) -> GoTo:
    """Hide what is said of a budget, until its next step or month."""
    person, tenant = ask.me.person, ask.path["name"]
    if not ask.asker.sees(tenant):
        return GoTo("")
    mark = f"{ask.deps.budgets.period} {ask.body(Dismissed).step}"
    dismiss = ask.deps.preferences.dismiss
    await asyncio.to_thread(dismiss, person, f"budget:{tenant}", mark, time.time())
    return GoTo(f"?{urlencode({'tenant': tenant})}")


def _is_dismissed(mark: str, period: int, step: int) -> bool:
    """Tell whether a person has hidden this step, or a later one, of this month."""
    month, _, known = mark.partition(" ")
    return month == str(period) and known.isdecimal() and step <= int(known)


async def _told(ask: Ask) -> Told | None:
    """Return what is to be said of the tenant's budget, unless it was hidden."""
    budgets, tenant = ask.deps.queues.budgets, ask.tenant
    if budgets is None or tenant is None:
        return None
    found = await asyncio.to_thread(budgets.told, tenant)
    if found is None:
        return None
    step, said = found
    notice = f"budget:{tenant}"
    mark = await asyncio.to_thread(
        ask.deps.preferences.dismissed, ask.me.person, notice
    )
    if _is_dismissed(mark, ask.deps.budgets.period, step):
        return None
    kind = "bad" if step >= _GONE else "wait" if step >= _NEARLY else "busy"
    return Told(kind, ask.texts.phrase(said), tenant, step)
