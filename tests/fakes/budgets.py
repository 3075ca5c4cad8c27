"""Budgets, quotas and warnings kept in memory."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from kqi_hub.domain.budgets import TenantQuota, Warned
from kqi_hub.domain.site_days import Period, SiteDays
from kqi_hub.services.budgets import Budgets
from tests.fakes.login import FakeAuditLog


@dataclass
class FakeBudgets:
    """A BudgetStore (domain/budgets.py); `bills` is what months come to so far."""

    set_amounts: dict[tuple[str, Period], int | None] = field(default_factory=dict)
    set_quotas: dict[str, TenantQuota] = field(default_factory=dict)
    bills: dict[tuple[str, Period], int] = field(default_factory=dict)
    warned: list[Warned] = field(default_factory=list)

    audit: FakeAuditLog = field(default_factory=FakeAuditLog)

    def budgets(self, tenants: Callable[[], Collection[str]]) -> Budgets:
        """Return the service on it, with months of UTC."""
        return Budgets(self, SiteDays(), tenants, self.audit)

    def amounts(self, period: Period) -> Mapping[str, int]:
        held = {
            tenant: amount
            for (tenant, month), amount in sorted(
                self.set_amounts.items(), key=lambda one: one[0][1]
            )
            if month <= period
        }
        return {tenant: amount for tenant, amount in held.items() if amount is not None}

    def billed(self, period: Period) -> Mapping[str, int]:
        return {
            tenant: amount
            for (tenant, month), amount in self.bills.items()
            if month == period
        }

    def set_amount(
        self, tenant: str, from_period: Period, amount: int | None, by: str, at: float
    ) -> int | None:
        del by, at
        before = self.amounts(from_period).get(tenant)
        self.set_amounts[tenant, from_period] = amount
        return before

    def quotas(self) -> Mapping[str, TenantQuota]:
        return dict(self.set_quotas)

    def set_quota(
        self, tenant: str, quota: TenantQuota, by: str, at: float
    ) -> TenantQuota | None:
        del by, at
        before = self.set_quotas.get(tenant)
        self.set_quotas[tenant] = quota
        return before

    def warn(self, tenant: str, period: Period, percent: int, at: float) -> bool:
        known = {(one.tenant, one.period, one.percent) for one in self.warned}
        if (tenant, period, percent) in known:
            return False
        self.warned.append(Warned(tenant, period, percent, at))
        return True

    def warnings(self, period: Period) -> tuple[Warned, ...]:
        return tuple(one for one in reversed(self.warned) if one.period == period)
