"""What the portal wrote into Slurm as limits, so that it knows its own again."""

from collections.abc import Mapping
from typing import Final, cast

from sqlalchemy import Engine, Table, delete, select

from kqi_hub.db.accounting_tables import WrittenLimitRow
from kqi_hub.db.engine import reading, writing
from kqi_hub.db.upsert import upsert
from kqi_hub.domain.slurm_limits import LimitKey

_WRITTEN: Final = cast(Table, WrittenLimitRow.__table__)


class SqlWrittenLimits:
    """A WrittenLimits (domain/slurm_limits.py) of one cluster; any thread may call."""

    def __init__(self, engine: Engine, cluster: str) -> None:
        self._engine = engine
        self._cluster = cluster

    def written(self) -> Mapping[LimitKey, int]:
        """Return the limits that were written."""
        query = select(_WRITTEN).where(_WRITTEN.c.cluster == self._cluster)
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        return {LimitKey(row.account, row.resource): row.amount for row in rows}

    def note(self, key: LimitKey, amount: int | None, at: float) -> None:
        """Note that a limit was written, or (None) lifted."""
        row = {
            "cluster": self._cluster,
            "account": key.account,
            "resource": key.resource,
        }
        with writing(self._engine) as connection:
            if amount is None:
                held = [_WRITTEN.c[name] == value for name, value in row.items()]
                connection.execute(delete(_WRITTEN).where(*held))
                return
            new = {**row, "amount": amount, "at": at}
            connection.execute(upsert(connection, _WRITTEN), new)
