"""Who may submit to which Slurm account, as accounting last said, for every process."""

from collections.abc import Collection
from dataclasses import asdict, fields
from typing import Final, cast

from sqlalchemy import Engine, Table, delete, insert, select

from kqi_hub.db.association_tables import AssociationRow
from kqi_hub.db.engine import reading, writing
from kqi_hub.domain.cluster import Association

_TABLE: Final = cast(Table, AssociationRow.__table__)
_COLUMNS: Final = [_TABLE.c[field.name] for field in fields(Association)]


class SqlAssociationStore:
    """Keep and return the associations of one cluster; any thread may call it."""

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
        rows = [{"cluster": self._cluster, **asdict(one)} for one in wanted.values()]
        with writing(self._engine) as connection:
            connection.execute(delete(_TABLE).where(_TABLE.c.cluster == self._cluster))
            if rows:
                connection.execute(insert(_TABLE), rows)
        return True
