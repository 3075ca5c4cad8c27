"""Who may use a route: the scope of the login or token, and the role of the person."""

from enum import StrEnum
from typing import Final

from kqi_hub.domain.errors import NotFound, NotPermitted
from kqi_hub.domain.people import Role, Standing
from kqi_hub.face.words import ROLE_WORDS

_LONGEST_SHOWN: Final = 64


class Scope(StrEnum):
    """What a login or a token was given for; JupyterHub hands them out."""

    READ = "custom:kqi:read"
    WRITE = "custom:kqi:write"
    OPERATE = "custom:kqi:operate"


class Who(StrEnum):
    """Who may use a route; the roles are those in the tenant that is asked for."""

    ANYBODY = "anybody"
    PERSON = "person"
    VIEWER = "viewer"
    MEMBER = "member"
    MANAGER = "manager"
    OPERATOR = "operator"

    @property
    def role(self) -> Role | None:
        """Return the role that is needed in the tenant, if one is."""
        return Role.__members__.get(self.name)


def check_scope(needed: Scope, given: frozenset[str]) -> None:
    """Refuse a login or token that was not given for this."""
    if needed not in given:
        raise NotPermitted(
            "This needs the scope {scope}, which your login or token lacks.",
            "Make a token that has it, or log in again.",
            scope=needed.value,
        )


def check_role(needed: Who, standing: Standing, tenant: str | None) -> None:
    """Refuse people who may not do this; a tenant not theirs is not there for them."""
    if needed is Who.OPERATOR and not standing.is_operator:
        raise NotPermitted(
            "Only operators may do this.", "Ask an operator to do it for you."
        )
    if needed.role is not None:
        check_tenant_role(needed.role, standing, tenant)


def check_tenant_role(needed: Role, standing: Standing, tenant: str | None) -> None:
    """Refuse a role below the one that is needed; operators may everything."""
    if standing.is_operator and tenant is not None:
        return
    role = None if tenant is None else standing.role_in(tenant)
    if role is None:
        raise no_such_tenant(tenant or "-")
    if role < needed:
        raise NotPermitted(
            "Your role in tenant {tenant} is {role}; this needs {needed}.",
            "Ask a manager of the tenant.",
            tenant=tenant,
            role=ROLE_WORDS[role],
            needed=ROLE_WORDS[needed],
        )


def no_such_tenant(tenant: str) -> NotFound:
    """Return the same error for a tenant of others and for one that is not there."""
    return NotFound(
        "There is no tenant {tenant}, or you do not belong to it.",
        "Choose one of your own tenants.",
        tenant=tenant[:_LONGEST_SHOWN],
    )
