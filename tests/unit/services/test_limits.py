"""Budgets and quotas as limits in Slurm."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

import pytest

from kqi_hub.domain.billing_weights import (
    Worth,
    advice,
    weights_for,
    weights_of,
    worth,
)
from kqi_hub.domain.budgets import TenantQuota
from kqi_hub.domain.cluster import Association
from kqi_hub.domain.errors import ClusterError, ClusterRefused
from kqi_hub.domain.money import MICRO, Rule
from kqi_hub.domain.queues import Supply, survey
from kqi_hub.domain.rate_cards import CardLine, RateCard, TenantTerms
from kqi_hub.domain.site_days import SiteDays
from kqi_hub.domain.slurm_limits import LimitKey, Standing
from kqi_hub.services.budgets import Budgets
from kqi_hub.services.limits import Limits, Plan
from tests.fakes.budgets import FakeBudgets
from tests.fakes.login import FakeAuditLog
from tests.fakes.people import association
from tests.fakes.queues import node, partition

NOVEMBER = 202611
DAYS = SiteDays()


class Desk:
    """A LimitDesk of one cluster in memory."""

    def __init__(self) -> None:
        self.limits: dict[str, dict[str, int]] = {"vision": {}, "nlp": {}}
        self.used: dict[str, int] = {}
        self.set: list[tuple[str, Mapping[str, int | None]]] = []
        self.refuses = ""

    async def associations(self) -> tuple[Association, ...]:
        return tuple(self._head(name) for name in self.limits)

    def _head(self, name: str) -> Association:
        held = self.limits[name]
        at_once = tuple((r, n) for r, n in held.items() if r != "billing")
        minutes = tuple((r, n) for r, n in held.items() if r == "billing")
        head = association("", name)
        return replace(head, grp_tres=at_once, grp_tres_mins=minutes)

    async def used_minutes(self) -> Mapping[str, int]:
        return self.used

    async def set_limits(self, account: str, limits: Mapping[str, int | None]) -> None:
        if account == self.refuses:
            raise ClusterRefused("Slurm refused.")
        self.set.append((account, limits))
        for resource, amount in limits.items():
            if amount is None:
                self.limits[account].pop(resource, None)
            else:
                self.limits[account][resource] = amount

    def command(
        self, account: str, limits: Mapping[str, int | None]
    ) -> tuple[str, ...]:
        return (account, *limits)


class Written:
    def __init__(self) -> None:
        self.held: dict[LimitKey, int] = {}

    def written(self) -> Mapping[LimitKey, int]:
        return dict(self.held)

    def note(self, key: LimitKey, amount: int | None, at: float) -> None:
        del at
        if amount is None:
            self.held.pop(key, None)
        else:
            self.held[key] = amount


class Lab:
    def __init__(self) -> None:
        self.desk, self.store, self.audit = Desk(), FakeBudgets(), FakeAuditLog()
        self.written = Written()
        self.worth = Worth(Fraction(2 * MICRO), "cpu")
        budgets = Budgets(
            self.store,
            DAYS,
            lambda: {"vision", "nlp"},
            self.audit,
            wall=lambda: DAYS.month_begins(NOVEMBER) + 100.0,
        )
        self.limits = Limits(
            self.desk,
            budgets,
            self.written,
            lambda tenants: dict.fromkeys(tenants, self.worth),
            self.audit,
        )

    def plan(self, *taken: str) -> Plan:
        return asyncio.run(self.limits.plan(frozenset(taken)))

    def apply(self, *taken: str) -> Plan:
        return asyncio.run(self.limits.apply("root@shell", frozenset(taken)))

    def standing(self, *taken: str) -> dict[tuple[str, str], Standing]:
        return {one.key: one.standing for one in self.plan(*taken).limits}

    def quota(self, tenant: str, quota: TenantQuota) -> None:
        self.store.set_quotas[tenant] = quota

    def money(self, amount: int, billed: int = 0) -> None:
        self.store.set_amounts["vision", NOVEMBER] = amount
        self.store.bills["vision", NOVEMBER] = billed


@pytest.fixture
def lab() -> Lab:
    return Lab()


def test_quotas_become_limits_and_zero_becomes_none(lab: Lab) -> None:
    lab.quota("vision", TenantQuota(200, 0, 12))
    lab.apply()
    assert lab.desk.limits["vision"] == {"cpu": 200, "gres/gpu": 12}
    lab.quota("vision", TenantQuota(0, 64, 12))
    lab.apply()
    assert lab.desk.limits["vision"] == {"mem": 65_536, "gres/gpu": 12}


def test_looking_changes_nothing(lab: Lab) -> None:
    lab.quota("vision", TenantQuota(200))
    lab.money(100 * MICRO)
    assert len(lab.plan().changes) == 2
    assert not lab.desk.set
    assert not lab.audit.events
    assert not lab.written.held


def test_applying_twice_changes_nothing_more(lab: Lab) -> None:
    lab.quota("vision", TenantQuota(200))
    lab.money(100 * MICRO)
    lab.apply()
    again = lab.apply()
    assert not again.changes
    assert len(lab.desk.set) == 1
    assert [event.action for event in lab.audit.events] == ["limits-apply"]


def test_what_is_left_stands_on_top_of_what_slurm_counts(lab: Lab) -> None:
    lab.money(100 * MICRO, 40 * MICRO)
    lab.desk.used = {"vision": 77, "nlp": 5}
    lab.apply()
    # 60 are left, an hour of one billing is worth 2: 30 hours.
    assert lab.desk.limits["vision"] == {"billing": 77 + 30 * 60}
    # Slurm forgets with time what was used: our money does not.
    lab.desk.used = {"vision": 3}
    lab.apply()
    assert lab.desk.limits["vision"] == {"billing": 3 + 30 * 60}


@pytest.mark.parametrize("billed", [100 * MICRO, 10**18])
def test_where_nothing_is_left_the_limit_is_zero(lab: Lab, billed: int) -> None:
    lab.money(100 * MICRO, billed)
    lab.desk.used = {"vision": 77}
    lab.apply()
    assert lab.desk.limits["vision"] == {"billing": 0}


def test_limits_of_the_site_are_left_alone_until_they_are_taken_over(lab: Lab) -> None:
    lab.desk.limits["vision"] = {"cpu": 500, "mem": 9}
    lab.quota("vision", TenantQuota(200))
    lab.apply()
    assert lab.desk.limits["vision"] == {"cpu": 500, "mem": 9}
    assert lab.standing() == {
        ("vision", "cpu"): Standing.FOREIGN,
        ("vision", "mem"): Standing.FOREIGN,
    }
    lab.apply("vision")
    assert lab.desk.limits["vision"] == {"cpu": 200}


def test_a_tenant_without_a_quota_keeps_what_the_site_set_even_if_named(
    lab: Lab,
) -> None:
    lab.desk.limits["vision"] = {"cpu": 500}
    lab.apply("vision")
    assert lab.desk.limits["vision"] == {"cpu": 500}


def test_what_somebody_changed_behind_our_back_is_told_and_kept(lab: Lab) -> None:
    lab.quota("vision", TenantQuota(200))
    lab.apply()
    lab.desk.limits["vision"]["cpu"] = 999
    assert lab.standing() == {("vision", "cpu"): Standing.FOREIGN}
    lab.apply()
    assert lab.desk.limits["vision"]["cpu"] == 999


def test_what_somebody_lifted_behind_our_back_is_set_again(lab: Lab) -> None:
    lab.quota("vision", TenantQuota(200))
    lab.apply()
    del lab.desk.limits["vision"]["cpu"]
    lab.apply()
    assert lab.desk.limits["vision"] == {"cpu": 200}


def test_a_limit_that_was_right_already_is_ours_from_then_on(lab: Lab) -> None:
    lab.desk.limits["vision"] = {"cpu": 200}
    lab.quota("vision", TenantQuota(200))
    lab.apply()
    assert not lab.desk.set
    lab.quota("vision", TenantQuota(100))
    lab.apply()
    assert lab.desk.limits["vision"] == {"cpu": 100}


def test_a_refusal_half_way_leaves_what_was_done_written_down(lab: Lab) -> None:
    lab.quota("nlp", TenantQuota(1))
    lab.quota("vision", TenantQuota(2))
    lab.desk.refuses = "vision"
    with pytest.raises(ClusterError):
        lab.apply()
    assert lab.written.held == {LimitKey("nlp", "cpu"): 1}
    assert [event.target for event in lab.audit.events] == ["nlp"]


def test_a_budget_without_prices_is_told_of_and_sets_no_limit(lab: Lab) -> None:
    lab.worth = Worth()
    lab.money(0)
    plan = lab.apply()
    assert lab.desk.limits["vision"] == {}
    assert "The budget of vision cannot be a limit" in str(plan.notes[0])


def test_people_and_other_accounts_are_none_of_ours(lab: Lab) -> None:
    lab.desk.limits["root"] = {"cpu": 5}
    assert not lab.plan().limits


@pytest.mark.parametrize(
    ("text", "weights"),
    [
        (
            "CPU=1.0,Mem=0.25G,GRES/gpu=2",
            {"cpu": 1, "mem": Fraction(1, 4096), "gres/gpu": 2},
        ),
        ('"CPU=0,Mem=0,GRES/gpu=0"', {"cpu": 0, "mem": 0, "gres/gpu": 0}),
        ("Mem=2", {"mem": 2}),
        ("GRES/gpu:a100=.5,node=3", {"gres/gpu:a100": Fraction(1, 2), "node": 3}),
        ("", {}),
        ("CPU=many,=,GRES", {}),
    ],
)
def test_weights_are_read_as_slurm_reads_them(
    text: str, weights: Mapping[str, Fraction]
) -> None:
    assert weights_of(text) == weights


def supply(weights: str, *, gpus: bool = False) -> Supply:
    has = node("n1", "q", 40, 40 * 1024, ("v100", 4) if gpus else None)
    queue = partition("q", [has], billing_weights=weights, exclusive=gpus)
    return survey([has], [queue], [], []).supplies["q"]


CPU_AND_MEMORY = CardLine("q", cpu=1_500_000, memory_gb=250_000)


def test_an_hour_of_billing_is_worth_the_dearest_part_of_it() -> None:
    found = worth(
        RateCard(1, 0, (CPU_AND_MEMORY,)), [supply("CPU=1,Mem=0.1G")], "vision"
    )
    assert found.per_hour == 2_500_000
    assert found.queue == "q"
    assert found.minutes(100 * MICRO) == 2400


def test_weights_that_follow_the_card_are_worth_the_same_in_every_part() -> None:
    card = RateCard(1, 0, (CPU_AND_MEMORY,))
    weights = weights_for(card, supply("")) or ""
    assert weights == "CPU=1500,Mem=250G"
    found = worth(card, [supply(weights)], "vision")
    # A thousandth of the currency's unit for each `billing` and hour.
    assert found.per_hour == 1000
    assert not found.notes


@pytest.mark.parametrize(
    ("found", "lines", "wanted", "is_as_wanted"),
    [
        ("", (CPU_AND_MEMORY,), "CPU=1500,Mem=250G", False),
        ("CPU=1500.0,Mem=250G,Node=0", (CPU_AND_MEMORY,), "CPU=1500,Mem=250G", True),
        ("CPU=1500,Mem=250M", (CPU_AND_MEMORY,), "CPU=1500,Mem=250G", False),
        ("", (CardLine("q"),), "CPU=0,Mem=0,GRES/gpu=0", True),
        ("CPU=1", (CardLine("q"),), "CPU=0,Mem=0,GRES/gpu=0", False),
        ("CPU=1", (CardLine("other", cpu=1),), None, False),
    ],
)
def test_weights_are_advised_where_they_can_say_the_price(
    found: str, lines: tuple[CardLine, ...], wanted: str | None, is_as_wanted: bool
) -> None:
    [said] = advice(RateCard(1, 0, lines), [supply(found)])
    assert (said.queue, said.found, said.wanted) == ("q", found, wanted)
    assert (said.is_as_wanted, said.is_max) == (is_as_wanted, False)


def test_weights_of_the_dearest_part_need_slurms_own_switch() -> None:
    line = replace(CPU_AND_MEMORY, rule=Rule.MAX)
    [said] = advice(RateCard(1, 0, (line,)), [supply("")])
    assert said.is_max
    assert advice(None, [supply("")]) == ()


def test_of_a_whole_node_memory_that_is_not_asked_for_counts_nothing() -> None:
    line = CardLine("q", node=240 * MICRO, whole_node=True)
    found = worth(
        RateCard(1, 0, (line,)), [supply("CPU=1,GRES/gpu=100", gpus=True)], "x"
    )
    assert found.per_hour == Fraction(240 * MICRO, 440)


def test_a_discount_makes_money_last_longer_and_a_dear_qos_shorter() -> None:
    card = RateCard(
        1,
        0,
        (CPU_AND_MEMORY,),
        {"high": 2 * MICRO, "low": 500_000},
        {"vision": TenantTerms(discount=MICRO // 4)},
    )
    [plain, dear] = [
        worth(card, [supply("CPU=1,Mem=1G")], t) for t in ("vision", "nlp")
    ]
    assert [plain.per_hour, dear.per_hour] == [2_250_000, 3_000_000]


@pytest.mark.parametrize(
    ("line", "weights", "said"),
    [
        (CardLine("q"), "CPU=1", "is free, and its TRESBillingWeights count"),
        (CPU_AND_MEMORY, "CPU=1", "mem costs money"),
        (CardLine("q", node=1), "CPU=1", "node costs money"),
    ],
)
def test_weights_that_differ_from_the_card_are_told(
    line: CardLine, weights: str, said: str
) -> None:
    found = worth(RateCard(1, 0, (line,)), [supply(weights)], "vision")
    assert said in str(found.notes[0])


@pytest.mark.parametrize(
    ("line", "weights"), [(CardLine("q"), "CPU=0"), (None, "CPU=1")]
)
def test_free_queues_and_those_without_a_price_are_worth_nothing(
    line: CardLine | None, weights: str
) -> None:
    lines = () if line is None else (line,)
    found = worth(RateCard(1, 0, lines), [supply(weights)], "vision")
    assert not found.per_hour
    assert not found.notes
    assert found.minutes(10**9) == 0
