"""Budgets of tenants and what they have to say before a job."""

import asyncio
from collections.abc import Mapping

import pytest

from hub_config.translations.catalogues import HERE as TRANSLATED
from kqi_hub.domain.budgets import (
    Budget,
    TenantQuota,
    amount_of,
    amount_text,
    period_named,
)
from kqi_hub.domain.errors import InvalidInput, NotFound, NotPermitted
from kqi_hub.domain.money import FREE, MICRO, Price
from kqi_hub.domain.people import Membership, Role, Standing
from kqi_hub.domain.site_days import SiteDays
from kqi_hub.i18n import texts
from kqi_hub.services.budgets import Budgets
from kqi_hub.services.purse import KEPT_S, Purse
from kqi_hub.services.tenant_rights import Asker
from tests.fakes.budgets import FakeBudgets
from tests.fakes.login import FakeAuditLog

DAYS = SiteDays("Asia/Tokyo")
NOVEMBER = 202611
# The 11th of November, noon in Tokyo.
NOW = DAYS.month_begins(NOVEMBER) + 10.5 * 86_400
OPERATOR = Asker(Standing("rita", (), True))
MEMBER = Asker(Standing("mia", (Membership("vision", Role.MEMBER),)))
MANAGER = Asker(Standing("max", (Membership("vision", Role.MANAGER),)))


class Lab:
    def __init__(self) -> None:
        self.store = FakeBudgets()
        self.audit = FakeAuditLog()
        self.now = NOW
        self.running: Mapping[str, int] = {}
        self.relief = 0
        self.budgets = Budgets(
            self.store,
            DAYS,
            lambda: {"vision", "nlp"},
            self.audit,
            running=lambda period, now: self.running,
            relief=lambda tenant, period, amount: min(self.relief, amount),
            wall=lambda: self.now,
        )


@pytest.fixture
def lab() -> Lab:
    return Lab()


def ask(lab: Lab, asker: Asker = MEMBER, tenant: str = "vision") -> Budget:
    return asyncio.run(lab.budgets.left(asker, tenant))


def give(lab: Lab, amount: int | None, month: int = NOVEMBER) -> None:
    asyncio.run(lab.budgets.set_amount(OPERATOR, "vision", amount, month))


def test_what_is_billed_and_what_runs_are_both_gone(lab: Lab) -> None:
    give(lab, 1000)
    lab.store.bills["vision", NOVEMBER] = 300
    lab.running = {"vision": 250}
    found = ask(lab)
    assert (found.spent, found.running, found.left, found.percent) == (
        300,
        250,
        450,
        55,
    )


def test_a_budget_holds_until_a_later_one_and_is_lifted_by_none(lab: Lab) -> None:
    give(lab, 1000)
    give(lab, 50, 202701)
    give(lab, None, 202703)
    held = [lab.store.amounts(m).get("vision") for m in (202610, 202611, 202612)]
    later = [lab.store.amounts(m).get("vision") for m in (202701, 202702, 202703)]
    assert held == [None, 1000, 1000]
    assert later == [50, 50, None]


def test_what_a_tenant_need_not_pay_is_not_taken_from_its_budget(lab: Lab) -> None:
    give(lab, 1000)
    lab.store.bills["vision", NOVEMBER] = 300
    lab.running = {"vision": 100}
    lab.relief = 350
    assert ask(lab).used == 50


def test_a_credit_beyond_the_bill_leaves_the_whole_budget(lab: Lab) -> None:
    give(lab, 1000)
    lab.store.bills["vision", NOVEMBER] = -20
    assert ask(lab).used == 0


def test_each_step_is_told_once_even_when_a_correction_goes_back(lab: Lab) -> None:
    give(lab, 1000)
    told = []
    for bill in (499, 500, 799, 950, 700, 960, 1000, 2000):
        lab.store.bills["vision", NOVEMBER] = bill
        told.append([w.percent for w in asyncio.run(lab.budgets.warn_of_steps())])
    assert told == [[], [50], [], [80, 90], [], [], [100], []]


def test_steps_are_told_anew_in_the_next_month(lab: Lab) -> None:
    give(lab, 1000)
    lab.store.bills["vision", NOVEMBER] = 600
    asyncio.run(lab.budgets.warn_of_steps())
    lab.now = DAYS.month_ends(NOVEMBER) + 5
    lab.store.bills["vision", 202612] = 600
    [warned] = asyncio.run(lab.budgets.warn_of_steps())
    assert (warned.period, warned.percent) == (202612, 50)


@pytest.mark.parametrize("asker", [MEMBER, MANAGER])
def test_only_operators_set_budgets_and_quotas(lab: Lab, asker: Asker) -> None:
    with pytest.raises(NotPermitted):
        asyncio.run(lab.budgets.set_amount(asker, "vision", 5))
    with pytest.raises(NotPermitted):
        asyncio.run(lab.budgets.set_quota(asker, "vision", TenantQuota(1)))
    assert not lab.audit.events


def test_changes_are_in_the_audit_log_with_what_was_before(lab: Lab) -> None:
    give(lab, 5 * MICRO)
    give(lab, None)
    asyncio.run(lab.budgets.set_quota(OPERATOR, "vision", TenantQuota(8, 64, 2)))
    details = [dict(event.detail) for event in lab.audit.events]
    assert details == [
        {"from": "2026-11", "before": "-", "amount": "5"},
        {"from": "2026-11", "before": "5", "amount": "-"},
        {"before": "-", "quota": "cpus=8 memory_gb=64 gpus=2"},
    ]


def test_a_tenant_of_others_is_not_there(lab: Lab) -> None:
    lab.store.bills["nlp", NOVEMBER] = 7
    with pytest.raises(NotFound):
        ask(lab, MEMBER, "nlp")
    seen = asyncio.run(lab.budgets.all(MEMBER))
    everything = asyncio.run(lab.budgets.all(OPERATOR))
    assert [one.tenant for one in seen] == ["vision"]
    assert [one.tenant for one in everything] == ["nlp", "vision"]
    assert list(asyncio.run(lab.budgets.quotas(MEMBER))) == ["vision"]


def test_no_budget_is_set_for_what_is_no_tenant(lab: Lab) -> None:
    with pytest.raises(NotFound):
        asyncio.run(lab.budgets.set_amount(OPERATOR, "visoin", 5))


def test_a_month_that_is_over_keeps_its_budget(lab: Lab) -> None:
    with pytest.raises(InvalidInput):
        give(lab, 5, 202610)


@pytest.mark.parametrize(
    ("amount", "used", "steps", "is_empty"),
    [
        (None, 10**9, (), False),
        (0, 0, (50, 80, 90, 100), True),
        (1000, 499, (), False),
        (1000, 799, (50,), False),
        (1000, 999, (50, 80, 90), False),
        (1000, 1000, (50, 80, 90, 100), True),
        (1000, 10**15, (50, 80, 90, 100), True),
    ],
)
def test_steps_of_a_budget(
    amount: int | None, used: int, steps: tuple[int, ...], is_empty: bool
) -> None:
    found = Budget("vision", NOVEMBER, amount, used)
    assert (found.steps, found.is_empty) == (steps, is_empty)


def test_how_long_money_lasts_follows_from_what_the_month_has_cost() -> None:
    begins = 1_000_000
    found = Budget("vision", NOVEMBER, 1000, 250)
    assert found.lasts_until(begins + 100, begins) == begins + 400
    assert Budget("vision", NOVEMBER, 1000).lasts_until(begins + 100, begins) is None
    assert Budget("vision", NOVEMBER, None, 5).lasts_until(begins + 1, begins) is None


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("0", 0),
        ("1200.50", 1_200_500_000),
        ("0.000001", 1),
        ("999999999999", 999_999_999_999 * MICRO),
    ],
)
def test_amounts_are_read_exactly(text: str, amount: int) -> None:
    assert amount_of(text) == amount
    assert amount_of(amount_text(amount)) == amount


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-1",
        "1.",
        ".5",
        "1e3",
        "1,5",
        "0.0000001",
        "9" * 13,
        "01",
        "\u0661",
        "1\n",
        "NaN",
    ],
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        amount_of(text)


@pytest.mark.parametrize("text", ["2026-13", "2026", "202600", "26-11", "2026-11\n"])
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        period_named(text)


@pytest.mark.parametrize("cpus", [-1, 10**8 + 1])
def test_what_is_no_quota_is_refused(cpus: int) -> None:
    with pytest.raises(InvalidInput):
        TenantQuota(cpus)


def test_a_quota_of_zero_is_no_limit() -> None:
    limits = TenantQuota(0, 2, 4).limits()
    assert limits == {"cpu": None, "mem": 2048, "gres/gpu": 4}


class Money:
    def __init__(self, *found: Budget) -> None:
        self.found = {one.tenant: one for one in found}
        self.readings = 0
        self.clock = 0.0

    def purse(self, *, refuses: bool = True) -> Purse:
        return Purse(self.read, "JPY", refuses=refuses, clock=lambda: self.clock)

    def read(self) -> Mapping[str, Budget]:
        self.readings += 1
        return self.found


DEAR = Price(100 * MICRO, 100 * MICRO)


def test_an_empty_budget_refuses_what_costs_and_leaves_what_is_free() -> None:
    purse = Money(Budget("vision", NOVEMBER, 10 * MICRO, 10 * MICRO)).purse()
    said = str(purse.objection("vision", DEAR))
    assert "used up its budget for 2026-11: 10 JPY of 10 JPY" in said
    assert purse.objection("vision", FREE) is None
    assert purse.objection("vision", None) is None
    assert purse.caution("vision", DEAR, 3600) is None


def test_where_the_site_only_warns_an_empty_budget_is_a_caution() -> None:
    money = Money(Budget("vision", NOVEMBER, 10 * MICRO, 10 * MICRO))
    purse = money.purse(refuses=False)
    assert purse.objection("vision", DEAR) is None
    assert "used up" in str(purse.caution("vision", DEAR, 3600))


def test_a_job_that_may_cost_more_than_is_left_is_told_so() -> None:
    purse = Money(Budget("vision", NOVEMBER, 500 * MICRO, 301 * MICRO)).purse()
    said = str(purse.caution("vision", DEAR, 2 * 3600))
    assert "up to 200 JPY" in said
    assert "199 JPY left" in said
    assert purse.caution("vision", DEAR, 3600) is None


def test_a_budget_that_is_nearly_used_is_told_of() -> None:
    purse = Money(Budget("vision", NOVEMBER, 1000 * MICRO, 801 * MICRO)).purse()
    assert "80 % of its budget" in str(purse.caution("vision", DEAR, 60))


@pytest.mark.parametrize("tenant", ["nlp", ""])
def test_a_tenant_without_a_budget_is_never_held(tenant: str) -> None:
    purse = Money(Budget("nlp", NOVEMBER, None, 10**15)).purse()
    assert purse.objection(tenant, DEAR) is None
    assert purse.caution(tenant, DEAR, 10**6) is None


def test_many_forms_read_the_money_once_in_a_while() -> None:
    money = Money(Budget("vision", NOVEMBER, 0))
    purse = money.purse()
    for _ in range(100):
        purse.objection("vision", DEAR)
    assert money.readings == 1
    money.clock = KEPT_S
    purse.objection("vision", DEAR)
    assert money.readings == 2


@pytest.mark.parametrize(
    ("used", "step", "said"),
    [(49, None, ""), (50, 50, "50 %"), (85, 80, "85 %"), (100, 100, "used up")],
)
def test_the_last_step_is_told_in_a_sentence(
    used: int, step: int | None, said: str
) -> None:
    purse = Money(Budget("vision", NOVEMBER, 100 * MICRO, used * MICRO)).purse()
    told = purse.told("vision")
    assert (told and told[0]) == step
    assert said in str(told[1] if told else "")
    assert purse.told("nlp") is None


@pytest.mark.parametrize("language", ["en", "ja", "ko"])
def test_sentences_have_money_as_the_pages_have_it(language: str) -> None:
    held = Budget("vision", NOVEMBER, 1_000_000 * MICRO, 800_000_500_001)
    caution = Money(held).purse().caution("vision", DEAR, 60)
    assert caution is not None
    said = texts(TRANSLATED, language).phrase(caution)
    assert "199,999" in said
    assert "199,999." not in said.removesuffix(".")
