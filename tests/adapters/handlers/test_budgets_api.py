"""Budgets, quotas and the comparison with Slurm through REST; refusals of jobs."""

import json
from datetime import date

import pytest

from kqi_hub.domain.money import MICRO
from kqi_hub.domain.reconciliation import (
    AccountUse,
    Cause,
    Difference,
    Reconciliation,
    Use,
)
from tests.adapters.handlers.conftest import Client
from tests.fakes.site import FakeSite


@pytest.fixture
def empty(site: FakeSite) -> None:
    """Leave vision nothing to spend."""
    month = site.budgets.budgets(frozenset).period
    site.budgets.set_amounts["vision", month] = 0


async def test_an_empty_budget_is_in_every_estimate_that_costs(
    ask: Client, empty: None
) -> None:
    found = (await ask("api/v1/price?tenant=vision&cpus=2", "mia")).json["queues"]
    possible = {one["queue"]: one["is_possible"] for one in found}
    assert possible == {"jupyter": True, "cpu": False, "v100": False, "a100": False}


async def test_the_comparison_is_told_to_operators(ask: Client, site: FakeSite) -> None:
    before = (await ask("api/v1/reconciliation", "rita")).json
    assert (before["at"], before["agrees"]) == (None, True)
    use = Use(5, 10, 20, 30, 40)
    site.comparison.found = Reconciliation(
        3600,
        7200,
        7300.0,
        (AccountUse("vision", use),),
        {Cause.GONE: use},
        {Cause.GONE: 1},
        (
            Difference(
                Cause.GONE, "vision", 12, 3600, date(2026, 11, 2).toordinal(), use
            ),
            Difference(Cause.RUNNING, "vision", 13, 3600, 1, use),
        ),
    )
    after = (await ask("api/v1/reconciliation", "rita")).json
    assert not after["agrees"]
    assert after["causes"][0]["cause"] == "gone"
    [job] = after["jobs"]
    assert (job["cause"], job["job_id"], job["day"]) == ("gone", 12, "2026-11-02")
    assert job["use"]["gpu_s"] == 30
    assert after["accounts"][0]["ours"]["gpu_s"] == 30
    assert (await ask("api/v1/reconciliation", "max")).status == 403


async def test_a_manager_sees_what_is_spent_without_a_budget_and_a_member_does_not(
    ask: Client, site: FakeSite
) -> None:
    month = site.budgets.budgets(frozenset).period
    site.budgets.bills["vision", month] = 7 * MICRO
    for person, seen in (("max", 7 * MICRO), ("mia", 0)):
        found = (await ask("api/v1/budgets/vision", person)).json
        assert found["spent_micro"] == seen
    assert (await ask("api/v1/budgets/vision", "mallory")).status == 404
    listed = (await ask("api/v1/budgets", "mallory")).json["budgets"]
    assert "vision" not in json.dumps(listed)
