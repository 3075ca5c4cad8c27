"""Orders to close a month, on both databases."""

from dataclasses import replace

import pytest
from sqlalchemy import Engine

from kqi_hub.db import schema
from kqi_hub.db.close_orders import SqlCloseOrders
from kqi_hub.domain.accounting_ports import TakenIn
from kqi_hub.domain.close_orders import CloseStep, NewOrder
from kqi_hub.domain.errors import Conflict

OCTOBER, NOVEMBER = 202610, 202611
NEW = NewOrder(OCTOBER, "rita", "10.0.0.9", "2ab5f99023c354ff", 3)


@pytest.fixture
def orders(engine: Engine) -> SqlCloseOrders:
    schema.upgrade(engine)
    return SqlCloseOrders(engine, "kqi")


def test_an_order_is_found_again_with_what_became_of_it(
    orders: SqlCloseOrders,
) -> None:
    assert (orders.open(), orders.last(OCTOBER), orders.stamp()) == (None, None, 0.0)
    order = orders.add(NEW, 5.0)
    assert orders.open() == orders.last(OCTOBER) == order
    assert order.step is CloseStep.WAITING
    read = order.having_read(1_790_000_000, TakenIn(100, 2, 1, 3))
    assert orders.keep(read, 6.0)
    assert orders.open() == replace(read, changed_at=6.0)
    hostile = {"what": "a {brace} ' \" \n 日本"}
    failed = replace(read, step=CloseStep.FAILED, why="No: {what}", values=hostile)
    assert orders.keep(failed, 7.0)
    assert orders.open() is None
    found = orders.last(OCTOBER)
    assert found == replace(failed, changed_at=7.0)
    assert str(found.reason) == "No: a {brace} ' \" \n 日本"
    assert (orders.last(NOVEMBER), orders.stamp()) == (None, 7.0)


def test_one_order_at_a_time_is_open(orders: SqlCloseOrders) -> None:
    first = orders.add(NEW, 1.0)
    for month in (OCTOBER, NOVEMBER):
        with pytest.raises(Conflict, match="2026-10 is being closed already: rita"):
            orders.add(replace(NEW, period=month), 2.0)
    assert orders.cancel(first.id, 3.0)
    second = orders.add(NEW, 4.0)
    assert second.id != first.id
    assert orders.last(OCTOBER) == second


def test_what_has_ended_is_not_written_to(orders: SqlCloseOrders) -> None:
    order = orders.add(NEW, 1.0)
    assert orders.cancel(order.id, 2.0)
    assert not orders.cancel(order.id, 3.0)
    assert not orders.keep(replace(order, step=CloseStep.READING), 4.0)
    found = orders.last(OCTOBER)
    assert found is not None
    assert (found.step, found.changed_at) == (CloseStep.CANCELED, 2.0)


def test_while_the_month_is_closed_nothing_is_canceled(orders: SqlCloseOrders) -> None:
    order = orders.add(NEW, 1.0)
    assert orders.keep(replace(order, step=CloseStep.CLOSING), 2.0)
    assert not orders.cancel(order.id, 3.0)
    assert orders.keep(replace(order, step=CloseStep.CLOSED), 4.0)


def test_clusters_know_nothing_of_each_other(
    orders: SqlCloseOrders, engine: Engine
) -> None:
    other = SqlCloseOrders(engine, "other")
    orders.add(NEW, 1.0)
    assert (other.open(), other.last(OCTOBER), other.stamp()) == (None, None, 0.0)
    assert other.add(NEW, 2.0).asked == NEW
