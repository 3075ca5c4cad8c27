"""Who may submit where, and what each QOS allows, as accounting last said."""

from collections.abc import Collection
from dataclasses import asdict, fields
from typing import Any, Final, cast

from sqlalchemy import Engine, Table, delete, insert, select

from kqi_hub.db.association_tables import AssociationRow, QosRow
from kqi_hub.db.engine import reading, writing
from kqi_hub.domain.cluster import Association, Qos

_TABLE: Final = cast(Table, AssociationRow.__table__)
_COLUMNS: Final = [_TABLE.c[field.name] for field in fields(Association)]
_QOS: Final = cast(Table, QosRow.__table__)
_QOS_COLUMNS: Final = [_QOS.c[field.name] for field in fields(Qos)]


class SqlAssociationStore:
    """Keep and return the associations and QOS of a cluster; any thread may call it."""

    def __init__(self, engine: Engine, cluster: str) -> None:
        self._engine = engine
        self._cluster = cluster

    def associations(self) -> tuple[Association, ...]:
        """Return all of them, in accounting's order of names."""
        query = select(*_COLUMNS).where(_TABLE.c.cluster == self._cluster)
        order = (_TABLE.c.account, _TABLE.c.user, _TABLE.c.partition)
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(*order)).all()
        return tuple(Association(*row) for row in rows)

    def keep(self, found: Collection[Association]) -> bool:
        """Replace them in one transaction; tell whether anything is different now."""
        wanted = {(one.account, one.user, one.partition): one for one in found}
        if set(self.associations()) == set(wanted.values()):
            return False
        self._replace(_TABLE, [asdict(one) for one in wanted.values()])
        return True

    def qos(self) -> tuple[Qos, ...]:
        """Return every QOS, by name."""
        query = select(*_QOS_COLUMNS).where(_QOS.c.cluster == self._cluster)
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(_QOS.c.name)).all()
        return tuple(Qos(*row) for row in rows)

    def keep_qos(self, found: Collection[Qos]) -> bool:
        """Replace them in one transaction; tell whether anything is different now."""
        wanted = {one.name: one for one in found}
        if set(self.qos()) == set(wanted.values()):
            return False
        self._replace(_QOS, [asdict(one) for one in wanted.values()])
        return True

    def _replace(self, table: Table, rows: list[dict[str, Any]]) -> None:
        owned = [{"cluster": self._cluster, **row} for row in rows]
        with writing(self._engine) as connection:
            connection.execute(delete(table).where(table.c.cluster == self._cluster))
            if owned:
                connection.execute(insert(table), owned)
