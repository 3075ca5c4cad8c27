"""The runs that stand out: by page and REST, for those whose use they see."""

import time

import pytest

from tests.adapters.handlers.conftest import Client
from tests.fakes.site import FakeSite
from tests.fakes.usage import record
from tests.fakes.usage_life import furnish

CLUSTER = "usage/top?of=cluster&period=30-days"


@pytest.fixture(autouse=True)
def furnished(site: FakeSite) -> None:
    furnish(site.usage, time.time())
    began = int(time.time()) - 5 * 86_400
    failed = {"state": "FAILED", "gpus": "a100=8", "name": "boom"}
    late = {"eligible_at": began - 90_000, "name": "patient"}
    site.usage.add(record(901, "mia", "vision", "a100", began, 90, **failed))
    site.usage.add(record(902, "mallory", "nlp", "jupyter", began, 1, **late))


async def test_each_list_has_what_stands_out_first(ask: Client) -> None:
    found = (await ask(f"api/v1/{CLUSTER}", "rita")).json
    lists = {one["by"]: one["runs"] for one in found["lists"]}
    assert set(lists) == {"cost", "failed-gpu", "wait"}
    costs = [run["cost_micro"] for run in lists["cost"]]
    assert costs == sorted(costs, reverse=True)
    assert lists["cost"][0]["name"] == "boom"
    assert lists["failed-gpu"][0]["name"] == "boom"
    assert {run["state"] for run in lists["failed-gpu"]} == {"FAILED", "TIMEOUT"}
    assert lists["wait"][0]["name"] == "patient"
    few = (await ask(f"api/v1/{CLUSTER}&limit=1", "rita")).json
    assert [len(one["runs"]) for one in few["lists"]] == [1, 1, 1]


async def test_the_page_names_them_and_is_led_to(ask: Client) -> None:
    page = await ask(CLUSTER, "rita", Accept="text/html")
    for shown in ("Dearest runs", "Most failed GPU hours", "Longest waits", "patient"):
        assert shown in page.text
    cluster = await ask("usage/cluster", "rita", Accept="text/html")
    assert "usage/top?of=cluster" in cluster.text
    tenant = await ask("usage/tenant?tenant=vision", "max", Accept="text/html")
    assert "usage/top?of=tenant" in tenant.text


async def test_a_manager_sees_the_tenants_alone(ask: Client) -> None:
    path = "usage/top?of=tenant&tenant=vision&period=30-days"
    found = (await ask(f"api/v1/{path}", "max")).json
    tenants = {run["tenant"] for one in found["lists"] for run in one["runs"]}
    assert tenants == {"vision"}


@pytest.mark.parametrize(
    ("path", "person", "status"),
    [
        (CLUSTER, "max", 403),
        ("usage/top?of=tenant&tenant=vision", "mia", 403),
        ("usage/top?of=tenant&tenant=vision", "mallory", 404),
        ("usage/top?since=2020-01-01&until=2026-01-01", "mia", 400),
        ("usage/top?period=2026-13", "mia", 400),
        ("usage/top?queue=%CE%A9%27--&qos=%25", "mia", 200),
    ],
)
async def test_what_stands_out_is_for_those_whose_money_it_tells(
    ask: Client, path: str, person: str, status: int
) -> None:
    for door in ("", "api/v1/"):
        assert (await ask(door + path, person)).status == status
