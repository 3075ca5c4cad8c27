"""Months in a real browser: an operator gives a credit, then closes one."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from kqi_hub.domain.close_orders import CloseOrder, CloseStep, NewOrder
from kqi_hub.domain.money import MICRO
from tests.browser.conftest import OpenPage
from tests.browser.gallery import (
    NARROW,
    WIDE,
    each_look,
    fits,
    in_both,
    lost_references,
    violations,
)
from tests.fakes.ledger import NOW, OCTOBER
from tests.fakes.site import FakeSite

Shot = Callable[[Page, str], None]
MONTH = "usage/months/2026-10"
# What is known of an order that has come so far, and what the page says of it.
ORDERS: Mapping[str, tuple[dict[str, Any], str]] = {
    "waiting": ({}, "It waits for the worker."),
    "reading": (
        {"read_to": int(NOW) - 30 * 86_400, "runs_read": 1_234_567, "runs_changed": 8},
        "runs read 1,234,567, new or changed 8",
    ),
    "comparing": ({"runs_read": 2_345_678}, "The book is compared with Slurm."),
    "closing": ({"runs_read": 2_345_678}, "The bills are made final."),
    "changed": ({}, "A bill has changed since."),
    "differs": ({"differences": 12}, "Close 2026-10 all the same"),
    "failed": (
        {"why": "{name} does not answer.", "values": {"name": "slurmdbd-" + "x" * 60}},
        "It could not be closed.",
    ),
    "canceled": ({}, "It was canceled."),
}


def work(site: FakeSite) -> None:
    """Be the worker; here a loop runs already, the browser's."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, site.closing.service().work()).result()


@pytest.fixture
def billed(site: FakeSite) -> FakeSite:
    site.ledger.furnish()
    site.ledger.running = 3
    return site


@pytest.mark.parametrize("size", [WIDE, NARROW])
@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("usage/months", "list"),
        ("usage/months/2026-10", "to-be-closed"),
        ("usage/months/2026-11", "not-over"),
    ],
)
def test_months_are_accessible_and_fit(
    open_page: OpenPage,
    billed: FakeSite,
    keep_shot: Shot,
    path: str,
    name: str,
    size: object,
) -> None:
    page = open_page(path, person="rita", viewport=size)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Month")
    assert violations(page) == []
    assert fits(page)
    keep_shot(page, f"months-{name}-{'wide' if size is WIDE else 'narrow'}")


def test_a_month_is_closed_from_the_web_alone(
    open_page: OpenPage, billed: FakeSite, keep_shot: Shot
) -> None:
    page = open_page("usage", person="rita")
    page.get_by_role("link", name="Months", exact=True).click()
    page.get_by_role("link", name="2026-10").click()
    page.get_by_label("Tenant", exact=True).select_option("vision")
    page.get_by_label("Amount in JPY").fill("100")
    page.get_by_label("Reason").fill("node v100-03 lost its work")
    page.get_by_role("button", name="Write it on the bill").click()
    expect(page.get_by_text("The credit stands on the bill of vision.")).to_be_visible()
    expect(page.get_by_role("cell", name="node v100-03 lost its work")).to_be_visible()
    page.get_by_role("button", name="Close 2026-10").click()
    expect(page.get_by_text("It waits for the worker.")).to_be_visible()
    keep_shot(page, "months-ordered")
    work(billed)
    # The page is told of it: nobody has pressed anything.
    expect(page.get_by_text("rita closed it.")).to_be_visible()
    assert page.get_by_role("button", name="Close 2026-10").count() == 0
    expect(page.get_by_role("region", name="Give a credit")).to_have_count(0)
    keep_shot(page, "months-closed")
    lines = [line.amount for line in billed.ledger.book]
    assert lines == [-100 * MICRO, -50 * MICRO]
    assert OCTOBER in billed.ledger.closed


@in_both(ORDERS)
def test_how_far_an_order_has_come_is_shown(
    open_page: OpenPage,
    billed: FakeSite,
    keep_shot: Shot,
    name: str,
    looks: Any,
) -> None:
    about, said = ORDERS[name]
    new = NewOrder(OCTOBER, "rita", "", "x")
    billed.closing.orders.append(CloseOrder(1, new, NOW, CloseStep(name), **about))
    colours, size = looks[0]
    page = open_page(MONTH, person="rita", viewport=size, color_scheme=colours)
    panel = page.get_by_role("region", name="Close the month")
    expect(panel).to_contain_text(said)
    assert lost_references(page) == []
    for look in each_look(page, looks):
        keep_shot(page, f"months-order-{name}-{look}")
        assert fits(page)
        assert violations(page) == []


def test_an_order_moves_on_before_ones_eyes_and_is_taken_back(
    open_page: OpenPage, billed: FakeSite
) -> None:
    orders = billed.closing
    begun = orders.add(NewOrder(OCTOBER, "rita", "", "x"), NOW)
    page = open_page(MONTH, person="rita")
    panel = page.get_by_role("region", name="Close the month")
    expect(panel.locator("[aria-current=step]")).to_contain_text("waits for the worker")
    credit = page.get_by_role("region", name="Give a credit")
    expect(credit).to_contain_text("a credit would change them")
    assert credit.locator("form").count() == 0
    days = orders.service().ledger.days
    half = (days.month_begins(OCTOBER) + days.month_ends(OCTOBER)) // 2
    read = replace(begun, step=CloseStep.READING, read_to=half, runs_read=4_321)
    assert orders.keep(read, NOW + 1)
    expect(panel.locator("[aria-current=step]")).to_contain_text("read from Slurm")
    expect(panel.get_by_role("progressbar")).to_have_js_property("value", 50)
    expect(panel).to_contain_text("runs read 4,321")
    panel.get_by_role("button", name="Cancel, leave the month open").click()
    expect(panel).to_contain_text("It was canceled.")
    expect(panel.get_by_role("button", name="Close 2026-10")).to_be_visible()
    expect(credit.get_by_label("Amount in JPY")).to_be_editable()
    assert OCTOBER not in billed.ledger.closed


def test_the_tab_of_months_is_marked_on_a_months_page(
    open_page: OpenPage, billed: FakeSite
) -> None:
    page = open_page("usage/months/2026-10", person="rita")
    marked = page.locator(".tabs a[aria-current]")
    expect(marked).to_have_text("Months")
    page = open_page("usage/months", person="rita")
    expect(page.locator(".tabs a[aria-current=page]")).to_have_text("Months")
