"""Bills of tenants, for their managers and for operators."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from kqi_hub.domain.bills import Bill, Statement
from kqi_hub.domain.errors import NotFound
from kqi_hub.domain.people import Role
from kqi_hub.domain.site_days import Period
from kqi_hub.domain.usage_periods import said_period
from kqi_hub.services.tenant_rights import Asker, require


class BillStore(Protocol):
    """Bills and what they are made of. Every method blocks."""

    def bills(
        self, tenants: Collection[str] | None, since: Period, until: Period
    ) -> tuple[Bill, ...]:
        """Return bills of some tenants, or of all; the newest month first."""

    def statement(self, tenant: str, period: Period) -> Statement | None:
        """Return a tenant's bill of a month; None where it has none."""


@dataclass(frozen=True, slots=True)
class Bills:
    """Show bills to those who answer for the money."""

    store: BillStore

    async def list(
        self, asker: Asker, tenant: str | None, since: Period, until: Period
    ) -> tuple[Bill, ...]:
        """Return a tenant's bills, or those of all tenants that the asker manages."""
        if tenant is not None:
            require(asker, tenant, Role.MANAGER)
        tenants = managed(asker) if tenant is None else (tenant,)
        return await asyncio.to_thread(self.store.bills, tenants, since, until)

    async def one(self, asker: Asker, tenant: str, period: Period) -> Statement:
        """Return a tenant's bill of a month with what it is made of."""
        require(asker, tenant, Role.MANAGER)
        found = await asyncio.to_thread(self.store.statement, tenant, period)
        if found is None:
            raise NotFound(
                "Tenant {tenant} has no bill of {period}.",
                "The list of bills shows the months in which something was used.",
                tenant=tenant,
                period=said_period(period),
            )
        return found


def managed(asker: Asker) -> tuple[str, ...] | None:
    """Return the tenants whose money somebody sees; None: all, for operators."""
    if asker.standing.is_operator:
        return None
    return tuple(
        one.tenant for one in asker.standing.memberships if one.role >= Role.MANAGER
    )
