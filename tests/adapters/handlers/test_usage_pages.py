"""The pages of use and bills: what they say, and to whom."""

import time

import pytest

from kqi_hub.domain.usage import IntakeState
from tests.adapters.handlers.conftest import Client
from tests.fakes.site import FakeSite
from tests.fakes.usage import record
from tests.fakes.usage_life import furnish


@pytest.fixture(autouse=True)
def furnished(site: FakeSite) -> None:
    furnish(site.usage, time.time())


@pytest.mark.parametrize(
    ("path", "person", "status"),
    [
        ("usage", "mia", 200),
        ("usage?period=2026-13", "mia", 400),
        ("usage?since=2026-01-02&until=2026-01-01", "mia", 400),
        ("usage?period=2020-02", "mia", 200),
        ("usage?period=9999-months", "mia", 200),
        ("usage?kind=no-such&queue=%CE%A9%27--&qos=%25", "mia", 200),
        ("usage?person=max", "mia", 400),
        ("usage/tenant?tenant=vision", "max", 200),
        ("usage/tenant?tenant=vision", "rita", 200),
        ("usage/tenant?tenant=vision", "mia", 403),
        ("usage/tenant?tenant=vision", "mallory", 404),
        ("usage/cluster", "rita", 200),
        ("usage/cluster?account=nlp&show=cpu", "rita", 200),
        ("usage/cluster", "max", 403),
        ("usage/runs?of=cluster", "max", 403),
        ("usage/runs?of=tenant&tenant=nlp", "mia", 403),
        ("usage/runs?of=tenant&tenant=vision", "mallory", 404),
        ("usage/runs?job=99999999999", "mia", 200),
        ("usage/runs?after=1.1", "mia", 200),
        ("usage/runs?after=x", "mia", 400),
        ("usage/runs/2", "mia", 200),
        ("usage/runs/2", "max", 200),
        ("usage/runs/2", "mallory", 404),
        ("usage/runs/none", "mia", 404),
        ("usage/bills", "mia", 200),
        ("usage/bills/vision/2000-01", "max", 404),
        ("usage/bills/vision/2026-00", "max", 400),
    ],
)
async def test_a_page_is_for_those_whose_money_it_tells(
    ask: Client, path: str, person: str, status: int
) -> None:
    answer = await ask(path, person, Accept="text/html")
    assert answer.status == status, answer.text[:2000]


async def test_a_page_says_the_sums_and_what_is_behind_them(ask: Client) -> None:
    page = await ask("usage?period=30-days", "mia")
    assert "in runs that failed: " in page.text
    assert "Jobs that run now: 2." in page.text
    assert 'href="/services/portal/usage/runs?of=mine' in page.text
    assert "mallory" not in page.text


async def test_a_tenants_page_tells_its_budget(ask: Client, site: FakeSite) -> None:
    page = await ask("usage/tenant?tenant=vision&period=30-days", "max")
    assert "No budget is set" in page.text
    assert "max" in page.text


async def test_a_long_time_is_drawn_by_month(ask: Client) -> None:
    page = await ask("usage?period=12-months", "mia")
    assert page.text.count("<rect x=") == 12


async def test_names_of_people_are_text_on_every_page(
    ask: Client, site: FakeSite
) -> None:
    name = '<img src=x onerror="alert(1)">'
    site.usage.add(
        record(555, "mia", "vision", name, int(time.time()) - 7200, 1, name=name), 555
    )
    for path in ("usage?period=7-days", "usage/runs?period=7-days", "usage/runs/555"):
        page = await ask(path, "mia")
        assert page.status == 200
        assert "<img src=x" not in page.text
        assert "&lt;img" in page.text


async def test_a_line_is_explained_by_time_price_and_card(ask: Client) -> None:
    page = await ask("usage/runs/2", "mia")
    assert "an hour, card 1" in page.text
    assert "Card 1, an hour: 1 node x ¥" in page.text
    assert "the day's own month was closed" in page.text


async def test_a_run_that_never_began_cost_nothing(ask: Client, site: FakeSite) -> None:
    number = next(n for n, run in site.usage.known.items() if run.record.job_id == 71)
    page = await ask(f"usage/runs/{number}", "mia")
    assert "It never began, so it cost nothing." in page.text


async def test_a_history_that_is_being_read_is_told(
    ask: Client, site: FakeSite
) -> None:
    site.usage.state = IntakeState(1000, 0, 500)
    page = await ask("usage", "mia")
    assert "The history is being read" in page.text
    assert "50 %" in page.text


async def test_a_training_leads_to_what_it_cost(ask: Client, site: FakeSite) -> None:
    site.runs.furnish("mia")
    page = await ask("training/1", "mia")
    way = "usage/runs?kind=training&amp;thing=1&amp;since=2000-01-01"
    assert way in page.text
    listed = await ask("usage/runs?kind=training&thing=12&since=2000-01-01", "mia")
    assert "Training 12" in listed.text
    assert "Notebook 3" not in listed.text
    none = await ask("usage/runs?kind=training&thing=4&since=2000-01-01", "mia")
    assert "No run fits" in none.text
