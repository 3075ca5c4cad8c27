"""`kqi budget` against a portal: looked at by people, set by operators."""

import pytest

from kqi_hub.domain.budgets import TenantQuota
from kqi_hub.domain.money import MICRO
from kqi_hub.sdk.config import Config, save
from tests.adapters.cli.conftest import Run
from tests.fakes.site import FakeSite


@pytest.fixture
def month(site: FakeSite) -> int:
    """Let vision have used 83 of 100, and nlp more than it should."""
    budgets = site.budgets
    month = budgets.budgets(frozenset).period
    budgets.set_amounts["vision", month] = 100 * MICRO
    budgets.bills["vision", month] = 83 * MICRO
    budgets.bills["nlp", month] = 7 * MICRO
    return month


def log_in(site: FakeSite, person: str) -> None:
    save(Config(site.origin, "vision", site.hub.token(person)))


def test_one_sees_what_binds_one_and_no_money_else(run: Run, month: int) -> None:
    found = run("budget", "show", "--json").json["budgets"]
    assert [(one["tenant"], one["left_micro"]) for one in found] == [
        ("nlp", None),
        ("vision", 17 * MICRO),
    ]
    # mia is a member of nlp, which has no budget: what it spends is its manager's.
    assert found[0]["spent_micro"] == 0
    assert "83 %" in run("budget").out


def test_operators_set_a_budget_and_a_quota(
    run: Run, site: FakeSite, month: int
) -> None:
    log_in(site, "rita")
    assert run("budget", "set", "nlp", "1200.50").code == 0
    assert run("budget", "quota", "nlp", "--gpus", "4", "--json").json["gpus"] == 4
    assert site.budgets.set_amounts["nlp", month] == 1_200_500_000
    assert site.budgets.set_quotas == {"nlp": TenantQuota(gpus=4)}
    assert run("budget", "set", "nlp", "none").code == 0
    assert site.budgets.set_amounts["nlp", month] is None
    assert len(site.budgets.audit.events) == 3


@pytest.mark.parametrize(
    ("person", "words", "code"),
    [
        ("max", ("set", "vision", "5"), 3),
        ("mia", ("quota", "vision"), 3),
        ("rita", ("set", "nowhere", "5"), 4),
        ("rita", ("set", "vision", "1,5"), 2),
        ("rita", ("set", "vision", "-5"), 2),
        ("rita", ("set", "vision", "5", "--from", "2020-01"), 2),
        ("rita", ("set", "vision", "5", "--from", "soon"), 2),
        ("mia", ("show", "--month", "2026-13"), 2),
    ],
)
def test_what_may_not_be_is_refused_and_changes_nothing(
    run: Run, site: FakeSite, person: str, words: tuple[str, ...], code: int
) -> None:
    log_in(site, person)
    done = run("budget", *words)
    assert done.code == code, done.err
    assert not site.budgets.set_amounts
    assert not site.budgets.set_quotas
