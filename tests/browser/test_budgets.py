"""Budgets in a real browser: what a member sees, what an operator changes."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from kqi_hub.domain.budgets import TenantQuota, Warned
from kqi_hub.domain.money import MICRO
from kqi_hub.domain.reconciliation import Cause, Reconciliation, Use
from tests.browser.conftest import OpenPage
from tests.browser.gallery import NARROW, WIDE, fits, violations
from tests.fakes.site import FakeSite

Shot = Callable[[Page, str], None]


@pytest.fixture
def spent(site: FakeSite) -> None:
    """Let vision have used 83 % of its budget and nlp all of it."""
    budgets = site.budgets
    month = budgets.budgets(frozenset).period
    budgets.set_amounts["vision", month] = 1_200_000 * MICRO
    budgets.set_amounts["nlp", month] = 50_000 * MICRO
    budgets.bills["vision", month] = 1_000_000 * MICRO + 1
    budgets.bills["nlp", month] = 51_000 * MICRO
    budgets.set_quotas["vision"] = TenantQuota(200, 0, 12)
    budgets.warned = [Warned("vision", month, 50, 1_795_000_000.0)]
    counts = {Cause.RUNNING: 3, Cause.GONE: 1}
    site.comparison.found = Reconciliation(
        1_793_491_200,
        1_795_316_400,
        1_795_316_500.0,
        causes=dict.fromkeys(counts, Use()),
        counts=counts,
    )


def row(page: Page, tenant: str) -> str:
    found = page.locator("table tbody tr", has=page.get_by_text(tenant, exact=True))
    return found.first.inner_text()


@pytest.mark.parametrize("size", [WIDE, NARROW])
@pytest.mark.parametrize("person", ["mia", "rita"])
def test_the_page_of_budgets_is_accessible_and_fits(
    open_page: OpenPage, spent: None, keep_shot: Shot, person: str, size: object
) -> None:
    page = open_page("budgets?tenant=vision", person=person, viewport=size)
    expect(page.get_by_role("heading", name="Budgets", level=1)).to_be_visible()
    assert violations(page) == []
    assert fits(page)
    keep_shot(page, f"budgets-{person}-{'wide' if size is WIDE else 'narrow'}")


def test_a_member_sees_what_binds_them_and_changes_nothing(
    open_page: OpenPage, spent: None
) -> None:
    page = open_page("budgets", person="mallory")
    expect(page.get_by_text("Tenant nlp has used up its budget")).to_be_visible()
    expect(page.get_by_role("table")).not_to_contain_text("vision")
    expect(page.get_by_role("link", name=re.compile("^Change"))).to_have_count(0)
    expect(page.get_by_text("The book beside Slurm")).to_have_count(0)


def test_an_operator_sees_all_tenants_and_what_differs_from_slurm(
    open_page: OpenPage, spent: None
) -> None:
    page = open_page("budgets", person="rita")
    for tenant in ("vision", "nlp", "empty"):
        assert tenant in row(page, tenant)
    assert "no limit" in row(page, "empty")
    book = page.get_by_role("region", name="The book beside Slurm")
    expect(book).to_contain_text("still run")
    expect(book).to_contain_text("in the book alone")


def test_an_operator_changes_a_budget_and_a_quota(
    open_page: OpenPage, site: FakeSite, keep_shot: Shot
) -> None:
    page = open_page("budgets", person="rita")
    page.get_by_role("link", name="Change nlp").click()
    expect(page.get_by_role("heading", name="Budget of nlp")).to_be_visible()
    assert violations(page) == []
    page.get_by_label(re.compile("Budget of a month")).fill("a lot")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".notice-bad")).to_contain_text("is no amount of money")
    keep_shot(page, "budget-form")
    page.get_by_label(re.compile("Budget of a month")).fill("1200.50")
    page.get_by_label(re.compile("GPUs at once")).fill("4")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved for nlp")).to_be_visible()
    assert list(site.budgets.set_amounts.values()) == [1_200_500_000]
    assert site.budgets.set_quotas == {"nlp": TenantQuota(gpus=4)}
    assert [one.action for one in site.budgets.audit.events] == [
        "budget-set",
        "quota-set",
    ]


def test_the_overview_tells_of_the_step_that_was_reached(
    open_page: OpenPage, spent: None
) -> None:
    page = open_page("?tenant=nlp", person="mallory")
    told = page.locator("main .notice:visible").first
    expect(told).to_contain_text("Tenant nlp has used up its budget")
    page = open_page("?tenant=vision", person="mia")
    told = page.locator("main .notice:visible").first
    expect(told).to_contain_text("Tenant vision has used 83 % of")
    page.get_by_role("link", name="Budgets", exact=True).click()
    expect(page.get_by_role("heading", name="Budgets", level=1)).to_be_visible()


@pytest.mark.parametrize(
    ("colours", "size"),
    [("light", WIDE), ("dark", NARROW)],
    ids=["light-1440", "dark-390"],
)
def test_the_notice_is_hidden_by_who_has_read_it_and_for_nobody_else(
    open_page: OpenPage,
    spent: None,
    keep_shot: Shot,
    colours: Any,
    size: Any,
) -> None:
    page = open_page("?tenant=vision", viewport=size, color_scheme=colours)
    told = page.locator("main .notice:visible", has_text="its budget")
    expect(told).to_contain_text("83 %")
    keep_shot(page, f"budget-notice-{colours}-{size['width']}")
    assert fits(page)
    told.get_by_role("button", name="Hide until the next step").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Welcome")
    expect(told).to_have_count(0)
    assert page.url.endswith("?tenant=vision")
    page.reload()
    expect(told).to_have_count(0)
    others = open_page("?tenant=vision", "max", viewport=size)
    expect(others.locator("main .notice:visible")).to_contain_text("83 %")
