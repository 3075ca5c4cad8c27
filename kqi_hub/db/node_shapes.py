"""What nodes had, and since when: one line each time that a node is another."""

from collections.abc import Mapping
from typing import Any, Final, cast

from sqlalchemy import Engine, Table, select

from kqi_hub.db.accounting_tables import NodeShapeRow
from kqi_hub.db.engine import reading, writing
from kqi_hub.db.upsert import insert_missing
from kqi_hub.domain.accounting_ports import NodeHas
from kqi_hub.domain.node_shapes import NodeShape

SHAPES: Final = cast(Table, NodeShapeRow.__table__)
_COLUMNS: Final = tuple(SHAPES.c[name] for name in NodeShape._fields)


class SqlNodeShapes:
    """A ShapeStore (domain/accounting_ports.py); any thread may call it."""

    def __init__(self, engine: Engine, cluster: str) -> None:
        self._engine = engine
        self._cluster = cluster

    def add(self, nodes: Mapping[str, NodeHas], now: int) -> int:
        """Keep those that are new or different from now on; return how many."""
        last = {shape.node: shape for shape in self.all()}
        rows = [
            {"cluster": self._cluster} | NodeShape(name, now, *has)._asdict()
            for name, has in nodes.items()
            if _differs(last.get(name), has)
        ]
        if rows:
            self._write(rows)
        return len(rows)

    def all(self) -> list[NodeShape]:
        """Return every shape, the oldest first."""
        query = select(*_COLUMNS).where(SHAPES.c.cluster == self._cluster)
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(SHAPES.c.from_at))
            return [NodeShape(*row) for row in rows]

    def _write(self, rows: list[dict[str, Any]]) -> None:
        with writing(self._engine) as connection:
            # Within one second a node is changed once: the clock may be set back.
            connection.execute(insert_missing(connection, SHAPES), rows)


def _differs(last: NodeShape | None, has: NodeHas) -> bool:
    return last is None or (last.cpus, last.memory_mb, last.gpus) != has
