"""Budgets, quotas and warnings at rest, on both databases."""

import pytest
from sqlalchemy import Engine, insert

from kqi_hub.db import schema
from kqi_hub.db.accounting_tables import BillRow
from kqi_hub.db.budgets import SqlBudgetStore
from kqi_hub.db.engine import writing
from kqi_hub.domain.budgets import BudgetStore, TenantQuota, Warned
from tests.fakes.budgets import FakeBudgets

NOVEMBER = 202611


@pytest.fixture(params=["fake", "sql"])
def store(request: pytest.FixtureRequest, engine: Engine) -> BudgetStore:
    if request.param == "fake":
        return FakeBudgets()
    schema.upgrade(engine)
    return SqlBudgetStore(engine, "gpu1")


def test_the_budget_of_the_latest_month_holds(store: BudgetStore) -> None:
    assert store.set_amount("vision", NOVEMBER, 10**18, "rita", 1.0) is None
    assert store.set_amount("vision", 202701, None, "rita", 2.0) == 10**18
    assert store.set_amount("nlp", 202612, 0, "rita", 3.0) is None
    held = {m: store.amounts(m) for m in (202610, NOVEMBER, 202612, 202701)}
    assert held == {
        202610: {},
        NOVEMBER: {"vision": 10**18},
        202612: {"vision": 10**18, "nlp": 0},
        202701: {"nlp": 0},
    }


def test_a_budget_can_be_set_again_for_the_same_month(store: BudgetStore) -> None:
    store.set_amount("vision", NOVEMBER, 5, "rita", 1.0)
    assert store.set_amount("vision", NOVEMBER, 7, "rita", 2.0) == 5
    assert store.amounts(NOVEMBER) == {"vision": 7}


def test_a_quota_is_replaced_whole(store: BudgetStore) -> None:
    assert store.set_quota("vision", TenantQuota(8, 64, 2), "rita", 1.0) is None
    before = store.set_quota("vision", TenantQuota(gpus=1), "rita", 2.0)
    assert before == TenantQuota(8, 64, 2)
    assert store.quotas() == {"vision": TenantQuota(0, 0, 1)}


def test_a_step_is_noted_once(store: BudgetStore) -> None:
    done = [store.warn("vision", NOVEMBER, p, 1.0) for p in (50, 50, 80)]
    assert done == [True, False, True]
    assert store.warn("vision", 202612, 50, 2.0)
    assert set(store.warnings(NOVEMBER)) == {
        Warned("vision", NOVEMBER, 50, 1.0),
        Warned("vision", NOVEMBER, 80, 1.0),
    }


def test_what_a_month_comes_to_is_all_of_its_bill(engine: Engine) -> None:
    schema.upgrade(engine)
    rows = [
        ("gpu1", 202611, "vision"),
        ("gpu1", 202612, "nlp"),
        ("gpu2", 202611, "nlp"),
    ]
    with writing(engine) as connection:
        for cluster, period, tenant in rows:
            bill = {"cluster": cluster, "period": period, "tenant": tenant}
            money = {"charged": 100, "corrected": -30, "credited": -20}
            connection.execute(insert(BillRow), bill | money)
    assert SqlBudgetStore(engine, "gpu1").billed(NOVEMBER) == {"vision": 50}


def test_clusters_do_not_see_each_others_budgets(engine: Engine) -> None:
    schema.upgrade(engine)
    one, other = SqlBudgetStore(engine, "gpu1"), SqlBudgetStore(engine, "gpu2")
    one.set_amount("vision", NOVEMBER, 5, "rita", 1.0)
    one.set_quota("vision", TenantQuota(1), "rita", 1.0)
    one.warn("vision", NOVEMBER, 50, 1.0)
    assert (other.amounts(NOVEMBER), other.quotas(), other.warnings(NOVEMBER)) == (
        {},
        {},
        (),
    )
