"""Budgets, quotas of tenants, and the warnings that were given, in the database."""

from collections.abc import Mapping
from typing import Any, Final, cast

from sqlalchemy import Connection, Engine, Row, Table, func, select

from kqi_hub.db.accounting_tables import (
    BillRow,
    BudgetRow,
    BudgetWarningRow,
    TenantQuotaRow,
)
from kqi_hub.db.engine import reading, writing
from kqi_hub.db.upsert import insert_missing, upsert
from kqi_hub.domain.budgets import TenantQuota, Warned
from kqi_hub.domain.site_days import Period

_BUDGETS: Final = cast(Table, BudgetRow.__table__)
_QUOTAS: Final = cast(Table, TenantQuotaRow.__table__)
_WARNINGS: Final = cast(Table, BudgetWarningRow.__table__)
_BILLS: Final = cast(Table, BillRow.__table__)


class SqlBudgetStore:
    """A BudgetStore (domain/budgets.py) of one cluster; any thread may call it."""

    def __init__(self, engine: Engine, cluster: str) -> None:
        self._engine = engine
        self._cluster = cluster

    def amounts(self, period: Period) -> Mapping[str, int]:
        """Return the budgets that hold in a month, by tenant."""
        with reading(self._engine) as connection:
            return self._amounts(connection, period)

    def billed(self, period: Period) -> Mapping[str, int]:
        """Return what the lines of a month come to, by tenant."""
        bill = _BILLS.c
        total = (bill.charged + bill.corrected + bill.credited).label("total")
        query = select(bill.tenant, total).where(
            bill.cluster == self._cluster, bill.period == period
        )
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        return {row.tenant: row.total for row in rows}

    def set_amount(
        self, tenant: str, from_period: Period, amount: int | None, by: str, at: float
    ) -> int | None:
        """Set a budget from a month on; return what held there before."""
        row = {
            "cluster": self._cluster,
            "tenant": tenant,
            "from_period": from_period,
            "amount": amount,
            "author": by,
            "at": at,
        }
        with writing(self._engine) as connection:
            before = self._amounts(connection, from_period).get(tenant)
            connection.execute(upsert(connection, _BUDGETS), row)
        return before

    def quotas(self) -> Mapping[str, TenantQuota]:
        """Return the quotas that were set, by tenant."""
        query = select(_QUOTAS).where(_QUOTAS.c.cluster == self._cluster)
        with reading(self._engine) as connection:
            return {row.tenant: _quota(row) for row in connection.execute(query)}

    def set_quota(
        self, tenant: str, quota: TenantQuota, by: str, at: float
    ) -> TenantQuota | None:
        """Set a quota; return what was set before."""
        row = {
            "cluster": self._cluster,
            "tenant": tenant,
            "cpus": quota.cpus,
            "memory_gb": quota.memory_gb,
            "gpus": quota.gpus,
            "author": by,
            "at": at,
        }
        query = select(_QUOTAS).where(
            _QUOTAS.c.cluster == self._cluster, _QUOTAS.c.tenant == tenant
        )
        with writing(self._engine) as connection:
            before = connection.execute(query).one_or_none()
            connection.execute(upsert(connection, _QUOTAS), row)
        return None if before is None else _quota(before)

    def warn(self, tenant: str, period: Period, percent: int, at: float) -> bool:
        """Note that a step is reached; False if it was noted before."""
        row = {
            "cluster": self._cluster,
            "tenant": tenant,
            "period": period,
            "percent": percent,
            "at": at,
        }
        with writing(self._engine) as connection:
            # Not all drivers count rows of a statement that may add none.
            added = insert_missing(connection, _WARNINGS).returning(_WARNINGS.c.percent)
            return connection.execute(added, row).first() is not None

    def warnings(self, period: Period) -> tuple[Warned, ...]:
        """Return the steps that were reached in a month, the latest first."""
        columns = _WARNINGS.c
        query = (
            select(columns.tenant, columns.period, columns.percent, columns.at)
            .where(columns.cluster == self._cluster, columns.period == period)
            .order_by(columns.at.desc(), columns.tenant, columns.percent.desc())
        )
        with reading(self._engine) as connection:
            return tuple(Warned(*row) for row in connection.execute(query))

    def _amounts(self, connection: Connection, period: Period) -> dict[str, int]:
        """Return of each tenant the budget that was set for the latest month."""
        columns = _BUDGETS.c
        known = (columns.cluster == self._cluster) & (columns.from_period <= period)
        latest = (
            select(columns.tenant, func.max(columns.from_period).label("month"))
            .where(known)
            .group_by(columns.tenant)
            .subquery()
        )
        query = (
            select(columns.tenant, columns.amount)
            .join(
                latest,
                (columns.tenant == latest.c.tenant)
                & (columns.from_period == latest.c.month),
            )
            .where(known, columns.amount.is_not(None))
        )
        rows = connection.execute(query).all()
        return {row.tenant: row.amount for row in rows}


def _quota(row: Row[Any]) -> TenantQuota:
    return TenantQuota(row.cpus, row.memory_gb, row.gpus)
