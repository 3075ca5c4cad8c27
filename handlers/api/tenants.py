"""Tenants: Slurm accounts that people work in."""

from typing import Literal

from pydantic import Field

from handlers.access import Who
from handlers.ask import Ask
from handlers.route import Model, Routes, Spec
from kqi_hub.domain.people import Role
from kqi_hub.i18n import N_

routes = Routes("/api/v1", tag=N_("Tenants"))


class Tenant(Model):
    """A tenant, and the asker's place in it."""

    name: str = Field(description="The tenant, also its Slurm account.")
    role: Literal["viewer", "member", "manager"] | None = Field(
        description="Your role there; none for operators from outside."
    )
    is_default: bool = Field(description="Whether you chose it as your usual one.")


class TenantList(Model):
    """Tenants in alphabetical order."""

    tenants: tuple[Tenant, ...] = Field(description="The tenants that you belong to.")


@routes.get("/tenants", Spec(answer=TenantList))
async def list_tenants(ask: Ask) -> TenantList:
    """List the tenants that you belong to."""
    return TenantList(tenants=tenants_of(ask))


@routes.get("/tenants/{tenant}", Spec(who=Who.VIEWER, answer=Tenant))
async def show_tenant(ask: Ask) -> Tenant:
    """Show a tenant and your role in it."""
    tenant = ask.path["tenant"]
    return _tenant(ask, tenant, ask.me.role_in(tenant))


def tenants_of(ask: Ask) -> tuple[Tenant, ...]:
    """Return the asker's tenants."""
    return tuple(_tenant(ask, m.tenant, m.role) for m in ask.me.memberships)


def _tenant(ask: Ask, name: str, role: Role | None) -> Tenant:
    return Tenant.model_validate(
        {
            "name": name,
            "role": None if role is None else role.name.lower(),
            "is_default": ask.chosen.default_tenant == name,
        }
    )
