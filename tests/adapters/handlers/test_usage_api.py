"""Use and bills over REST: whose they are, and that they add up."""

import csv
import io
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.adapters.handlers.conftest import Client
from tests.fakes.site import FakeSite
from tests.fakes.usage import DAY, record
from tests.fakes.usage_life import furnish

NOW = 1_795_000_000.0  # 2026-11-18 11:06:40 UTC
ALL = {"since": "2026-01-01", "until": "2026-11-30"}


@pytest.fixture(autouse=True)
def furnished(site: FakeSite) -> None:
    furnish(site.usage, NOW)


async def asked(ask: Client, path: str, person: str, **query: object) -> Any:
    answer = await ask(f"api/v1/{path}?{urlencode(query)}", person)
    assert answer.status == 200, answer.text
    return answer.json


def rows(text: str) -> list[dict[str, str]]:
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


async def test_ones_own_use_is_told_by_day(ask: Client) -> None:
    found = await asked(ask, "usage", "mia")
    assert (found["of"], found["first"], found["last"]) == (
        "mine", "2026-11-01", "2026-11-18",
    )  # fmt: skip
    assert found["rows"][0]["key"] == "2026-11-01"
    assert (found["currency"], found["time_zone"]) == ("JPY", "UTC")
    costs = [row["sums"]["cost_micro"] for row in found["rows"]]
    assert sum(costs) == found["total"]["cost_micro"] > 0


@pytest.mark.parametrize(
    "by", ["day", "month", "tenant", "person", "queue", "qos", "gpu-type", "kind"]
)
async def test_every_way_of_adding_up_comes_to_the_same(ask: Client, by: str) -> None:
    whole = await asked(ask, "usage", "rita", of="cluster", **ALL)
    found = await asked(ask, "usage", "rita", of="cluster", by=by, **ALL)
    assert found["total"] == whole["total"]


async def test_the_runs_behind_a_sum_come_to_it(ask: Client) -> None:
    about = {"since": "2026-11-03", "until": "2026-11-05"}
    total = (await asked(ask, "usage", "mia", **about))["total"]
    found, after = [], ""
    while True:
        page = await asked(ask, "usage/runs", "mia", per_page=2, after=after, **about)
        found += page["runs"]
        after = page["following"]
        if not after:
            break
    assert sum(run["cost_micro"] for run in found) == total["cost_micro"]
    assert sum(run["gpu_s"] for run in found) == total["gpu_s"]


async def test_a_run_shows_the_lines_that_its_cost_is_made_of(ask: Client) -> None:
    found = await asked(ask, "usage/runs/2", "mia")
    assert found["run"]["person"] == "mia"
    assert [line["kind"] for line in found["lines"]] == ["charge", "correction"]
    costs = [line["cost_micro"] for line in found["lines"]]
    assert sum(costs) == found["run"]["cost_micro"]
    assert found["lines"][1]["period"] == "2026-11"
    assert found["lines"][1]["day"].startswith("2026-09")


@pytest.mark.parametrize(
    ("person", "path", "query", "status"),
    [
        ("mia", "usage", {"of": "tenant", "tenant": "vision"}, 403),
        ("victor", "usage", {"of": "tenant", "tenant": "vision"}, 403),
        ("mallory", "usage", {"of": "tenant", "tenant": "vision"}, 404),
        ("max", "usage", {"of": "tenant", "tenant": "nlp"}, 404),
        ("max", "usage", {"of": "cluster"}, 403),
        ("mia", "usage", {"person": "max"}, 400),
        ("mallory", "usage", {"tenant": "vision"}, 404),
        ("max", "usage/runs", {"of": "cluster"}, 403),
        ("max", "usage/runs/csv", {"of": "cluster"}, 403),
        ("max", "usage/csv", {"of": "cluster"}, 403),
        ("mallory", "usage/runs/2", {}, 404),
        ("victor", "usage/runs/2", {}, 404),
        ("mia", "usage/runs/0", {}, 404),
        ("mia", "usage/runs/x", {}, 404),
        ("mia", "tenants/vision/bills/2026-10", {}, 403),
        ("mallory", "tenants/vision/bills/2026-10", {}, 404),
        ("mallory", "tenants/vision/bills/2026-10/csv", {}, 404),
        ("mallory", "bills", {"tenant": "vision"}, 404),
        ("mia", "bills", {"tenant": "vision"}, 403),
        ("max", "tenants/vision/bills/2019-10", {}, 404),
        ("max", "tenants/vision/bills/2026-13", {}, 400),
        ("mia", "usage", {"period": "2026-13"}, 400),
        ("mia", "usage", {"since": "2000-01-01"}, 400),
        ("mia", "usage", {"by": "colour"}, 400),
        ("mia", "usage/runs", {"after": "x"}, 400),
        ("mia", "usage/runs", {"after": "9" * 19 + "." + "9" * 16}, 200),
        ("mia", "usage", {"queue": "a\nb"}, 400),
        ("mia", "usage", {"queue": "Ω'; --%_\\"}, 200),
    ],
)
async def test_what_is_not_theirs_or_makes_no_sense_is_refused(
    ask: Client, person: str, path: str, query: dict[str, str], status: int
) -> None:
    answer = await ask(f"api/v1/{path}?{urlencode(query)}", person)
    assert answer.status == status, answer.text


async def test_use_for_spreadsheets_has_the_same_sums(ask: Client) -> None:
    answer = await ask("api/v1/usage/csv?by=queue", "mia")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert (
        'filename="usage-queue-2026-11-01-2026-11-18.csv"'
        in (answer.headers["Content-Disposition"])
    )
    found = await asked(ask, "usage", "mia", by="queue")
    micro = {row["key"]: row["sums"]["cost_micro"] for row in found["rows"]}
    costs = {row["Queue"]: row["Cost"] for row in rows(answer.text)}
    assert costs == {key: f"{cost / 1e6:.6f}" for key, cost in micro.items()}


async def test_the_history_of_jobs_keeps_names_and_makes_no_formula(
    ask: Client, site: FakeSite
) -> None:
    name = "=学習(한국)"
    site.usage.add(record(77, "mia", "vision", "cpu", int(NOW) - DAY, 1, name=name), 77)
    answer = await ask("api/v1/usage/runs/csv", "mia")
    [row] = [one for one in rows(answer.text) if one["Run"] == "77"]
    assert row["Name"] == f"'{name}"
    assert (row["Created"], row["Started"], row["Completed"]) == (
        "2026-11-17 10:56:40", "2026-11-17 11:06:40", "2026-11-17 12:06:40",
    )  # fmt: skip
    assert (row["Waited s"], row["CPUs"], row["Final status"]) == (
        "600", "8", "COMPLETED",
    )  # fmt: skip
    bare = await ask("api/v1/usage/runs/csv?header=false", "mia")
    assert "Final status" not in bare.text
    assert bare.text.count("\r\n") == answer.text.count("\r\n") - 1


async def test_runs_of_a_job_and_those_that_failed_are_found(ask: Client) -> None:
    found = await asked(ask, "usage/runs", "mia", job=1601, **ALL)
    assert [run["job_id"] for run in found["runs"]] == [1601]
    failed = await asked(ask, "usage/runs", "mia", failed=True, **ALL)
    assert {run["state"] for run in failed["runs"]} == {"FAILED"}


async def test_bills_come_to_their_positions_and_credits(ask: Client) -> None:
    found = await asked(ask, "bills", "max")
    assert [one["period"] for one in found["bills"]] == [
        "2026-11",
        "2026-10",
        "2026-09",
    ]
    assert found["bills"][0]["closed_at"] is None
    shown = await asked(ask, "tenants/vision/bills/2026-10", "max")
    parts = sum(one["amount_micro"] for one in shown["positions"])
    credits = [one["cost_micro"] for one in shown["credits"]]
    assert credits == [-5_000_000]
    assert parts - 5_000_000 == shown["bill"]["total_micro"]
    answer = await ask("api/v1/tenants/vision/bills/2026-10/csv", "max")
    total = sum(float(row["Amount"]) for row in rows(answer.text))
    assert round(total * 1e6) == shown["bill"]["total_micro"]


async def test_operators_have_everybodys_bills_others_none(ask: Client) -> None:
    everybody = await asked(ask, "bills", "rita")
    assert {one["tenant"] for one in everybody["bills"]} == {"vision", "nlp"}
    assert (await asked(ask, "bills", "mia"))["bills"] == []


async def test_operators_read_what_ran_where_hour_by_hour(ask: Client) -> None:
    path = "api/v1/usage/samples/csv?since=2026-11-17&until=2026-11-17"
    assert (await ask(path, "max")).status == 403
    answer = await ask(path, "rita")
    found = rows(answer.text)
    assert len({row["Sampled at"] for row in found}) == 24
    busy = [row for row in found if row["Name"].startswith("training-12")]
    assert {(row["Node"], row["Node GPUs"], row["GPUs"]) for row in busy} == {
        ("a100-01", "a100=8", "a100=8")
    }
    assert any(row["Name"] == "" for row in found), "idle nodes, too"
    too_long = "api/v1/usage/samples/csv?period=2020-01&until=2026-11-17"
    assert (await ask(f"{too_long}&since=2001-01-01", "rita")).status == 400
