"""The page of one's environments, and the form that makes one."""

from handlers.ask import Ask, Page
from handlers.pages.environments.offers import queue_offers
from handlers.route import Routes, Spec
from kqi_hub.i18n import N_

routes = Routes(tag=N_("Environments"))


@routes.get("/environments", Spec())
async def show_environments(ask: Ask) -> Page:
    """Show your conda environments: state, size, kernels, and what to do with each."""
    return Page("pages/environments/list.html", {"offers": await queue_offers(ask)})


@routes.get("/environments/new", Spec())
async def show_new_environment(ask: Ask) -> Page:
    """Show the form that makes an environment: from a base, a file, an export."""
    return Page("pages/environments/new.html", {"offers": await queue_offers(ask)})
