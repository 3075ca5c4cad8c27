"""The first page: who you are, where you work, what you can do."""

from typing import Final

from handlers.ask import Ask, Page
from handlers.route import Routes, Spec
from kqi_hub.domain.people import Role
from kqi_hub.i18n import N_

routes = Routes(tag=N_("Pages"))
_MAY: Final = {
    Role.VIEWER: N_("Look at jobs, data and results."),
    Role.MEMBER: N_("Look at everything, and run jobs of your own."),
    Role.MANAGER: N_("Run jobs, and look after the tenant's people and data."),
}


@routes.get("/", Spec())
async def show_home(ask: Ask) -> Page:
    """Show who you are, your tenants, and where to begin."""
    may = {role: ask.texts.say(text) for role, text in _MAY.items()}
    return Page("pages/home.html", {"may": may})
