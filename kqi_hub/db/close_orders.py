"""Orders to close a month, in the database."""

import json
from typing import Any, Final, cast

from sqlalchemy import Engine, Row, Table, func, insert, select, update

from kqi_hub.db.closing_tables import CloseOrderRow
from kqi_hub.db.engine import reading, writing
from kqi_hub.db.ledger import hold
from kqi_hub.domain.close_orders import CloseOrder, CloseStep, NewOrder
from kqi_hub.domain.errors import Conflict
from kqi_hub.domain.site_days import Period
from kqi_hub.domain.usage_periods import said_period

_ORDERS: Final = cast(Table, CloseOrderRow.__table__)


class SqlCloseOrders:
    """A CloseOrders (domain/close_orders.py) of one cluster; any thread may call it."""

    def __init__(self, engine: Engine, cluster: str) -> None:
        self._engine = engine
        self._cluster = cluster
        self._its = _ORDERS.c.cluster == cluster

    def add(self, new: NewOrder, now: float) -> CloseOrder:
        """Keep an order; Conflict while another one is open, of any month."""
        query = select(_ORDERS.c.author, _ORDERS.c.period)
        row = {
            "cluster": self._cluster,
            "period": new.period,
            "author": new.author,
            "address": new.address,
            "confirmation": new.confirmation,
            "accepted": new.accepted,
            "asked_at": now,
            "step": CloseStep.WAITING.value,
            "changed_at": now,
            "is_open": True,
            "runs_read": 0,
            "runs_changed": 0,
            "why": "",
        }
        with writing(self._engine) as connection:
            # Two who ask at the same moment: one waits for the other here.
            hold(connection, self._cluster)
            found = connection.execute(query.where(self._its, _ORDERS.c.is_open))
            if (other := found.first()) is not None:
                raise Conflict(
                    "{month} is being closed already: {person} has asked for it.",
                    "Wait until that is done, or cancel it.",
                    month=said_period(other.period),
                    person=other.author,
                )
            added = connection.execute(insert(_ORDERS).returning(_ORDERS.c.id), row)
            return CloseOrder(added.scalar_one(), new, now, changed_at=now)

    def last(self, period: Period) -> CloseOrder | None:
        """Return the newest order of a month."""
        return self._first(_ORDERS.c.period == period)

    def open(self) -> CloseOrder | None:
        """Return the one that the worker has to carry out."""
        return self._first(_ORDERS.c.is_open)

    def keep(self, order: CloseOrder, now: float) -> bool:
        """Write down what has become of one; False, and nothing, if it has ended."""
        values = {
            "step": order.step.value,
            "changed_at": now,
            "is_open": order.is_open,
            "read_to": order.read_to,
            "runs_read": order.runs_read,
            "runs_changed": order.runs_changed,
            "differences": order.differences,
            "why": json.dumps([order.why, dict(order.values)]) if order.why else "",
        }
        return self._change(order.id, values)

    def cancel(self, order_id: int, now: float) -> bool:
        """End one; False if it has ended, or is closing the month right now."""
        values = {
            "step": CloseStep.CANCELED.value,
            "changed_at": now,
            "is_open": False,
        }
        return self._change(order_id, values, _ORDERS.c.step != CloseStep.CLOSING.value)

    def stamp(self) -> float:
        """Return when anything was changed last."""
        query = select(func.coalesce(func.max(_ORDERS.c.changed_at), 0.0))
        with reading(self._engine) as connection:
            return float(connection.execute(query.where(self._its)).scalar_one())

    def _first(self, condition: Any) -> CloseOrder | None:
        query = select(_ORDERS).where(self._its, condition)
        with reading(self._engine) as connection:
            found = connection.execute(query.order_by(_ORDERS.c.id.desc()).limit(1))
            row = found.first()
        return None if row is None else _order(row)

    def _change(self, order_id: int, values: dict[str, Any], *conditions: Any) -> bool:
        change = update(_ORDERS).where(
            _ORDERS.c.id == order_id, _ORDERS.c.is_open, *conditions
        )
        # Not all drivers count rows.
        change = change.values(**values).returning(_ORDERS.c.id)
        with writing(self._engine) as connection:
            return connection.execute(change).first() is not None


def _order(row: Row[Any]) -> CloseOrder:
    why, values = json.loads(row.why) if row.why else ("", {})
    asked = NewOrder(
        row.period, row.author, row.address, row.confirmation, row.accepted
    )
    return CloseOrder(
        row.id,
        asked,
        row.asked_at,
        CloseStep(row.step),
        row.changed_at,
        row.read_to,
        row.runs_read,
        row.runs_changed,
        row.differences,
        why,
        values,
    )
