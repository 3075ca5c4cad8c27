"""Who is asking."""

from pydantic import Field

from handlers.api.tenants import Tenant, tenants_of
from handlers.ask import Ask
from handlers.route import Model, Routes, Spec
from kqi_hub.i18n import N_

routes = Routes("/api/v1", tag=N_("You"))


class Me(Model):
    """A person, as the portal knows them."""

    name: str = Field(description="Your name in the directory, the same on Unix.")
    is_operator: bool = Field(description="Whether you run this site.")
    tenants: tuple[Tenant, ...] = Field(description="The tenants that you belong to.")
    scopes: tuple[str, ...] = Field(
        description="What your login or token was given for."
    )


@routes.get("/whoami", Spec(answer=Me, before_terms=True))
async def whoami(ask: Ask) -> Me:
    """Tell who you are, your tenants and roles, and what your token may do."""
    scopes = ask.visitor.scopes if ask.visitor else frozenset()
    return Me(
        name=ask.me.person,
        is_operator=ask.me.is_operator,
        tenants=tenants_of(ask),
        scopes=tuple(sorted(scopes)),
    )
