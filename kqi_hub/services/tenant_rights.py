"""Who may look at, and who may change, what a tenant keeps."""

from dataclasses import dataclass
from typing import Final

from kqi_hub.domain.errors import NotFound, NotPermitted
from kqi_hub.domain.people import Role, Standing
from kqi_hub.domain.phrase import Phrase
from kqi_hub.i18n import N_

_LONGEST_SHOWN: Final = 64
_WORDS: Final = {
    Role.VIEWER: N_("viewer"),
    Role.MEMBER: N_("member"),
    Role.MANAGER: N_("manager"),
}


@dataclass(frozen=True, slots=True)
class Asker:
    """Somebody who is logged in, with roles, and from where they ask."""

    standing: Standing
    address: str = ""

    @property
    def person(self) -> str:
        """Return the person's name."""
        return self.standing.person

    @property
    def tenants(self) -> tuple[str, ...] | None:
        """Return the tenants whose things they see; None: all, for operators."""
        if self.standing.is_operator:
            return None
        return tuple(one.tenant for one in self.standing.memberships)

    def sees(self, tenant: str) -> bool:
        """Tell whether they see what a tenant keeps."""
        seen = self.tenants
        return seen is None or tenant in seen

    def role_in(self, tenant: str) -> Role | None:
        """Return what they may do there: operators what managers may."""
        if self.standing.is_operator:
            return Role.MANAGER
        return self.standing.role_in(tenant)


def require(asker: Asker, tenant: str, needed: Role) -> None:
    """Refuse a role below the one that is needed; others' tenants are not there."""
    role = asker.role_in(tenant)
    if role is None:
        raise NotFound(
            "There is no tenant {tenant}, or you do not belong to it.",
            "Choose one of your own tenants.",
            tenant=tenant[:_LONGEST_SHOWN],
        )
    if role < needed:
        raise NotPermitted(
            "Your role in tenant {tenant} is {role}; this needs {needed}.",
            "Ask a manager of the tenant.",
            tenant=tenant,
            role=Phrase(_WORDS[role]),
            needed=Phrase(_WORDS[needed]),
        )


def listed_tenants(asker: Asker, tenant: str | None) -> tuple[str, ...] | None:
    """Return whose things a list has: one tenant's, or all that somebody sees."""
    if tenant is None:
        return asker.tenants
    require(asker, tenant, Role.VIEWER)
    return (tenant,)


def require_change(asker: Asker, tenant: str, made_by: str) -> None:
    """Refuse changing what others made, but to managers of the tenant."""
    require(asker, tenant, Role.MEMBER)
    if made_by != asker.person and asker.role_in(tenant) is not Role.MANAGER:
        raise NotPermitted(
            "{person} made this, and you are no manager of tenant {tenant}.",
            "Ask {person} or a manager; a copy would be your own.",
            person=made_by,
            tenant=tenant,
        )
