"""The notice of a budget on the first page is hidden by who has read it."""

from urllib.parse import urlencode

import pytest

from tests.adapters.handlers.conftest import Client
from tests.fakes.site import FakeSite

FORM = {"Content_Type": "application/x-www-form-urlencoded"}
SAID = "of its budget"


def spent(site: FakeSite, percent: int) -> None:
    """Let vision have used a part of what it may spend this month."""
    period = site.budgets.budgets(lambda: ()).period
    site.budgets.set_amounts["vision", period] = 1_000_000
    site.budgets.bills["vision", period] = percent * 10_000


async def hide(ask: Client, person: str, step: object, tenant: str = "vision") -> int:
    body = urlencode({"step": step}).encode()
    path = f"budgets/{tenant}/dismiss"
    answer = await ask(path, person, "POST", body, **FORM)
    assert isinstance(answer.status, int)
    return answer.status


async def is_told(ask: Client, person: str = "mia") -> bool:
    page = await ask("?tenant=vision", person, Accept="text/html")
    assert page.status == 200
    return SAID in page.text


async def test_a_notice_is_offered_to_be_hidden_and_stays_hidden(
    ask: Client, site: FakeSite
) -> None:
    spent(site, 55)
    page = await ask("?tenant=vision", "mia", Accept="text/html")
    assert "budgets/vision/dismiss" in page.text
    assert 'name="step" value="50"' in page.text
    assert await hide(ask, "mia", 50) == 303
    assert not await is_told(ask)
    assert await is_told(ask, "max")


@pytest.mark.parametrize(
    ("mark", "told"),
    [
        ("{period} 80", False),
        ("{period} 90", False),
        ("{period} 50", True),
        ("202001 80", True),
        ("{period} x", True),
        ("", True),
    ],
)
async def test_it_comes_back_with_the_next_step_and_the_next_month(
    ask: Client, site: FakeSite, mark: str, told: bool
) -> None:
    spent(site, 85)
    period = site.budgets.budgets(lambda: ()).period
    shown = mark.format(period=period)
    site.preferences.dismiss("mia", "budget:vision", shown, 1.0)
    assert await is_told(ask) is told


@pytest.mark.parametrize("step", ["-1", "101", "x", ""])
async def test_a_step_that_is_none_hides_nothing(
    ask: Client, site: FakeSite, step: str
) -> None:
    assert await hide(ask, "mia", step) == 400
    assert site.preferences.marks == {}


async def test_of_other_tenants_nothing_is_kept(ask: Client, site: FakeSite) -> None:
    assert await hide(ask, "mallory", 50) == 303
    assert site.preferences.marks == {}
