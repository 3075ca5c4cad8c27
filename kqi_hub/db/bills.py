"""Bills of tenants, and what they are made of: read, never written."""

from collections.abc import Collection
from typing import Any, Final, cast

from sqlalchemy import Connection, Engine, Select, Table, and_, select

from kqi_hub.db.accounting_tables import (
    BillPositionRow,
    BillRow,
    LedgerRow,
    PeriodRow,
)
from kqi_hub.db.engine import reading
from kqi_hub.db.usage_runs import entry_of
from kqi_hub.domain.bills import Bill, Position, Statement
from kqi_hub.domain.ledger import Entry, EntryKind
from kqi_hub.domain.site_days import Period

_BILLS: Final = cast(Table, BillRow.__table__)
_CLOSED: Final = cast(Table, PeriodRow.__table__)
_LINES: Final = cast(Table, LedgerRow.__table__)
_POSITIONS: Final = cast(Table, BillPositionRow.__table__)
_COLUMNS: Final = {"person": "user"}


class SqlBillStore:
    """A BillStore (services/bills.py) of one cluster; any thread may call it."""

    def __init__(self, engine: Engine, cluster: str) -> None:
        self._engine = engine
        self._cluster = cluster

    def bills(
        self, tenants: Collection[str] | None, since: Period, until: Period
    ) -> tuple[Bill, ...]:
        """Return bills of some tenants, or of all; the newest month first."""
        query = self._bills().where(_BILLS.c.period.between(since, until))
        if tenants is not None:
            query = query.where(_BILLS.c.tenant.in_(list(tenants)))
        query = query.order_by(_BILLS.c.period.desc(), _BILLS.c.tenant)
        with reading(self._engine) as connection:
            return tuple(Bill(*row) for row in connection.execute(query))

    def statement(self, tenant: str, period: Period) -> Statement | None:
        """Return a tenant's bill of a month; None where it has none."""
        query = self._bills().where(
            _BILLS.c.period == period, _BILLS.c.tenant == tenant
        )
        with reading(self._engine) as connection:
            row = connection.execute(query).first()
            if row is None:
                return None
            return Statement(
                Bill(*row),
                self._positions(connection, tenant, period),
                self._credits(connection, tenant, period),
            )

    def _bills(self) -> Select[Any]:
        joined = _BILLS.outerjoin(
            _CLOSED,
            and_(
                _CLOSED.c.cluster == _BILLS.c.cluster,
                _CLOSED.c.period == _BILLS.c.period,
            ),
        )
        columns = [_BILLS.c[name] for name in Bill._fields if name != "closed_at"]
        query = select(*columns, _CLOSED.c.closed_at).select_from(joined)
        return query.where(_BILLS.c.cluster == self._cluster)

    def _positions(
        self, connection: Connection, tenant: str, period: Period
    ) -> tuple[Position, ...]:
        columns = [_POSITIONS.c[_COLUMNS.get(n, n)] for n in Position._fields]
        query = select(*columns).where(
            _POSITIONS.c.cluster == self._cluster,
            _POSITIONS.c.period == period,
            _POSITIONS.c.tenant == tenant,
            # Of runs that became another person's nothing is left.
            _POSITIONS.c.runs > 0,
        )
        rows = map(Position._make, connection.execute(query))
        found = [one._replace(earlier=bool(one.earlier)) for one in rows]
        found.sort(key=lambda one: (one.earlier, -one.amount, one))
        return tuple(found)

    def _credits(
        self, connection: Connection, tenant: str, period: Period
    ) -> tuple[Entry, ...]:
        query = select(_LINES).where(
            *self._of(tenant, period), _LINES.c.kind == EntryKind.CREDIT.value
        )
        rows = connection.execute(query.order_by(_LINES.c.id)).mappings()
        return tuple(map(entry_of, rows))

    def _of(self, tenant: str, period: Period) -> tuple[Any, ...]:
        return (
            _LINES.c.cluster == self._cluster,
            _LINES.c.period == period,
            _LINES.c.tenant == tenant,
        )
