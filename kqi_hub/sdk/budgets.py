"""Budgets and quotas of tenants."""

from dataclasses import dataclass
from urllib.parse import urlencode

from kqi_hub.sdk.calls import Calls, part
from kqi_hub.sdk.models import Answer


@dataclass(frozen=True, slots=True)
class Budget(Answer):
    """A tenant's money in a month, in millionths; None is without limit."""

    tenant: str
    month: str
    amount_micro: int | None
    spent_micro: int
    running_micro: int
    left_micro: int | None
    percent: int | None
    lasts_until: float | None


@dataclass(frozen=True, slots=True)
class Quota(Answer):
    """What a tenant may have at once; 0 is without limit."""

    tenant: str
    cpus: int
    memory_gb: int
    gpus: int


@dataclass(frozen=True, slots=True)
class Budgets:
    """The budgets that one sees, and their currency."""

    currency: str
    budgets: tuple[Budget, ...]


class BudgetCalls(Calls):
    """Budgets and quotas: people read those of their tenants, operators set them."""

    def budgets(self, month: str = "") -> Budgets:
        """Return what one's tenants may spend in a month, and what is left."""
        said = self._api("GET", "budgets?" + urlencode({"month": month}))
        rows = tuple(Budget.read(one) for one in said["budgets"])
        return Budgets(said["currency"], rows)

    def budget(self, tenant: str, month: str = "") -> Budget:
        """Return what one tenant may spend in a month, and what is left."""
        query = urlencode({"month": month})
        return Budget.read(self._api("GET", f"budgets/{part(tenant)}?{query}"))

    def set_budget(
        self, tenant: str, amount: str | None, from_month: str = ""
    ) -> Budget:
        """Set what a tenant may spend a month, such as `1200.50`; operators only."""
        sent = {"amount": amount, "from_month": from_month}
        return Budget.read(self._api("PUT", f"budgets/{part(tenant)}", sent))

    def quotas(self) -> tuple[Quota, ...]:
        """Return what one's tenants may have at once."""
        return tuple(Quota.read(one) for one in self._api("GET", "quotas")["quotas"])

    def set_quota(
        self, tenant: str, cpus: int = 0, memory_gb: int = 0, gpus: int = 0
    ) -> Quota:
        """Set what a tenant may have at once, 0 is without limit; operators only."""
        sent = {"cpus": cpus, "memory_gb": memory_gb, "gpus": gpus}
        return Quota.read(self._api("PUT", f"quotas/{part(tenant)}", sent))
