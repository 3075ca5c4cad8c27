"""What runs here, and whether it runs."""

from typing import Literal

from pydantic import Field

from handlers.access import Who
from handlers.ask import Ask
from handlers.route import Model, Routes, Spec
from kqi_hub.i18n import N_

routes = Routes("/api/v1", tag=N_("Site"))
health = Routes(tag=N_("Site"))


class Version(Model):
    """The site and its version."""

    site: str = Field(description="Name of the site.")
    version: str = Field(description="Version of KQI Hub.")


class Health(Model):
    """A sign of life."""

    status: Literal["ok"] = "ok"


@routes.get("/version", Spec(who=Who.ANYBODY, answer=Version))
async def show_version(ask: Ask) -> Version:
    """Show the site's name and the version of KQI Hub."""
    return Version(site=ask.deps.site.name, version=ask.deps.site.version)


@health.get("/healthz", Spec(who=Who.ANYBODY, answer=Health))
async def show_health(_: Ask) -> Health:
    """Tell that the process answers; nothing else is asked."""
    return Health()
