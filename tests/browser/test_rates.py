"""Rates in a browser: a card from a file, its faults, its effect, published once."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from kqi_hub.domain.amounts import Amounts
from kqi_hub.domain.imagined import record_of_wish
from tests.browser.conftest import OpenPage
from tests.browser.gallery import ALL_LOOKS, each_look, fits, too_narrow, violations
from tests.fakes.site import FakeSite

CARD = """from = 2190-01-01

[[rate]]
queue = "cpu"
per_cpu = "2"
minimum = "1"

[[rate]]
queue = "a100"
per_gpu = "90.5"
per_memory_gb = "0.25"
whole_node = true

[qos]
urgent = "1.5"

[tenant.vision]
discount_percent = "12.5"
allowance = "50000"
"""


@pytest.fixture
def cards(site: FakeSite) -> None:
    site.rates.furnish()
    begun = int(site.rates.now) - 90_000
    site.rates.runs.runs = [
        record_of_wish(
            Amounts(4, 8192, {}, 1), "cpu", "", tenant, (begun, begun + 3600 * hours)
        )
        for tenant, hours in (("vision", 10), ("nlp", 3))
    ]


def preview(page: Page, text: str = CARD) -> None:
    page.get_by_label("Rates, as TOML").fill(text)
    page.get_by_label("Note").fill("as decided")
    page.get_by_role("button", name="Show what it changes").click()


def test_the_pages_are_accessible_and_fit(
    open_page: OpenPage,
    cards: None,
    keep_shot: Callable[[Page, str], None],
) -> None:
    page = open_page("usage/rates", "rita")
    for name in ("list", "form", "faults", "preview"):
        if name == "form":
            page.get_by_role("link", name="New card", exact=True).click()
        elif name == "faults":
            preview(page, '[[rate]]\nqueue = "a b"\nper_cpu = 0.5')
        elif name == "preview":
            preview(page)
            expect(page.get_by_role("heading", name="Publish it?")).to_be_visible()
        for look in each_look(page, ALL_LOOKS):
            keep_shot(page, f"rates-{name}-{look}")
            assert fits(page)
            assert violations(page) == []


@pytest.mark.parametrize("path", ["usage/rates", "usage/rates/new"])
def test_they_fit_every_width(open_page: OpenPage, cards: None, path: str) -> None:
    assert too_narrow(open_page(path, "rita")) == []


def test_a_card_from_a_file_is_looked_at_and_published(
    open_page: OpenPage, site: FakeSite, cards: None, tmp_path: Path
) -> None:
    page = open_page("usage/rates/new", "rita")
    file = tmp_path / "new rates.toml"
    file.write_text(CARD.replace("\n", "\r\n"))
    page.get_by_label("From a file").set_input_files(file)
    expect(page.get_by_label("Rates, as TOML")).to_have_value(CARD)
    page.get_by_role("button", name="Show what it changes").press("Enter")
    changes = page.get_by_role("table", name="Rates that change")
    expect(changes.get_by_role("row").filter(has_text="a100")).to_contain_text("¥90.5")
    # Forty hours of a CPU at 1.5 were 60, and are 80 less an eighth.
    terms = page.get_by_role("table", name="Tenants whose own terms change")
    expect(terms).to_contain_text("12.5 % less")
    effect = page.get_by_role("table", name="Effect")
    expect(effect.get_by_role("row").filter(has_text="vision")).to_contain_text("+¥10")
    page.get_by_role("button", name="Publish these rates").press("Enter")
    expect(page.get_by_text("Card 3 is published.")).to_be_visible()
    [*_, known] = site.rates.store.published
    assert (known.author, len(known.card.lines)) == ("rita", 2)
    page.get_by_role("button", name="Withdraw card 3").press("Enter")
    expect(page.get_by_text("Card 3 is withdrawn.")).to_be_visible()
