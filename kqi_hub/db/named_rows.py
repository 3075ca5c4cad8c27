"""Write and read nodes and partitions: a few thousand rows, each known by its name."""

from dataclasses import dataclass, fields
from typing import Any, Final, Generic, Protocol, TypeVar, cast

from sqlalchemy import Connection, Table, bindparam, delete, select

from kqi_hub.db.tables import NodeRow, PartitionRow
from kqi_hub.db.upsert import upsert
from kqi_hub.domain.cluster import Node, Partition


class _Named(Protocol):
    @property
    def name(self) -> str: ...


T = TypeVar("T", bound=_Named)


@dataclass(frozen=True)
class NamedRows(Generic[T]):
    """The rows of one frozen dataclass, whose fields are columns of the same name."""

    kind: type[T]
    table: Table

    def save(
        self,
        connection: Connection,
        cluster: str,
        old: tuple[T, ...],
        new: tuple[T, ...],
    ) -> None:
        """Write only what differs between the two."""
        if old == new:
            return
        before = {item.name: (place, item) for place, item in enumerate(old)}
        after = {item.name: (place, item) for place, item in enumerate(new)}
        changed = [
            self._row(cluster, place, item)
            for name, (place, item) in after.items()
            if before.get(name) != (place, item)
        ]
        if changed:
            connection.execute(upsert(connection, self.table), changed)
        removed = [{"gone": name} for name in before if name not in after]
        if removed:
            named = self.table.c.name == bindparam("gone")
            connection.execute(
                delete(self.table).where(self.table.c.cluster == cluster, named),
                removed,
            )

    def load(self, connection: Connection, cluster: str) -> tuple[T, ...]:
        """Read all, in the order in which Slurm gave them."""
        query = (
            select(*[self.table.c[name] for name in self._names()])
            .where(self.table.c.cluster == cluster)
            .order_by(self.table.c.position)
        )
        return tuple(self.kind(*row) for row in connection.execute(query))

    def _row(self, cluster: str, place: int, item: T) -> dict[str, Any]:
        values = {name: getattr(item, name) for name in self._names()}
        return {"cluster": cluster, "position": place, **values}

    def _names(self) -> tuple[str, ...]:
        # Any dataclass has them; a Protocol cannot say "is a dataclass and named".
        return tuple(field.name for field in fields(cast(Any, self.kind)))


NODES: Final = NamedRows(Node, cast(Table, NodeRow.__table__))
PARTITIONS: Final = NamedRows(Partition, cast(Table, PartitionRow.__table__))
