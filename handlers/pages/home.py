"""The first page: which queue has room, what it costs; who you are, where you work."""

from typing import Final

from handlers.ask import Ask, Page, Values
from handlers.pages.queue_views import ShapeQuery, estimated, lines
from handlers.route import Routes, Spec
from kqi_hub.domain.people import Role
from kqi_hub.i18n import N_

routes = Routes(tag=N_("Pages"))
_MAY: Final = {
    Role.VIEWER: N_("Look at jobs, data and results."),
    Role.MEMBER: N_("Look at everything, and run jobs of your own."),
    Role.MANAGER: N_("Run jobs, and look after the tenant's people and data."),
}


@routes.get("/", Spec(query=ShapeQuery))
async def show_home(ask: Ask) -> Page:
    """Show the queues: what is free, what it costs, how long you would wait."""
    queues, wanted = ask.deps.queues, ask.query(ShapeQuery)
    picture, found = await queues.list(ask.me.person, ask.tenant)
    estimates = await estimated(ask, picture, found, wanted)

    def values() -> Values:
        return {
            "may": {role: ask.texts.say(text) for role, text in _MAY.items()},
            "picture": picture,
            "lines": lines(ask, picture, estimates),
            "wanted": wanted,
            "has_rates": queues.pricing.has_rates,
            "billing": queues.pricing.billing,
        }

    return Page("pages/home.html", values)
