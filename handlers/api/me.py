"""A person as the directory knows them."""

from pydantic import Field

from handlers.api.tenants import Tenant, tenants_of
from handlers.ask import Ask
from handlers.route import Model, Routes, Spec
from kqi_hub.domain.errors import DirectoryUnavailable
from kqi_hub.i18n import N_
from kqi_hub.services import account

routes = Routes("/api/v1", tag=N_("You"))


class Profile(Model):
    """What the directory and the cluster say of a person."""

    name: str = Field(description="Your name in the directory, the same on Unix.")
    display_name: str = Field(description="What you are called.")
    mail: str = Field(description="Your mail address; empty if there is none.")
    uid: int = Field(description="Your number on Unix.")
    groups: tuple[str, ...] = Field(description="Your groups in the directory.")
    is_operator: bool = Field(description="Whether you run this site.")
    tenants: tuple[Tenant, ...] = Field(description="The tenants that you belong to.")


@routes.get("/me", Spec(answer=Profile, errors=(DirectoryUnavailable,)))
async def show_me(ask: Ask) -> Profile:
    """Show what the directory says of you, and your tenants."""
    entry = await account.profile(ask.deps.account, ask.me.person)
    return Profile(
        name=entry.name,
        display_name=entry.display_name,
        mail=entry.mail,
        uid=entry.uid,
        groups=tuple(sorted(entry.groups)),
        is_operator=ask.me.is_operator,
        tenants=tenants_of(ask),
    )
