"""All jobs over REST: one's own, whoever submitted them, and what is done to them."""

import time

import pytest

from kqi_hub.domain.errors import ClusterRefused, ClusterTimedOut, NotYourJob
from tests.adapters.handlers.conftest import Client
from tests.fakes.own_jobs import furnish
from tests.fakes.queues import glance_often
from tests.fakes.site import FakeSite

ALL = "api/v1/jobs/all"
HOSTILE = [
    "0",
    "-1",
    "x",
    "1;id",
    "1%0a",
    "%00",
    "..",
    "1_",
    "_1",
    "*",
    "1" * 30,
    "1%202",
]


@pytest.fixture(autouse=True)
def jobs(site: FakeSite, monkeypatch: pytest.MonkeyPatch) -> None:
    glance_often(monkeypatch)
    furnish(site.queues.store, time.time())


async def test_the_list_has_arrays_as_one_and_counts(ask: Client) -> None:
    answer = await ask(ALL, "mia")
    found = {one["id"]: one for one in answer.json["jobs"]}
    assert list(found) == sorted(found, reverse=True)
    array = found[200]
    assert (array["kind"], array["thing"], array["is_array"]) == (
        "preprocessing",
        5,
        True,
    )
    assert [one["id"] for one in array["tasks"]] == ["200_0", "200_1", "200_2", "200"]
    assert found[61]["kind"] == "training"
    assert answer.headers["X-Total-Count"] == str(answer.json["found"])


async def test_nobody_sees_jobs_of_others(ask: Client) -> None:
    names = {one["name"] for one in (await ask(ALL, "mia")).json["jobs"]}
    assert "secret" not in names
    assert "secret" in {one["name"] for one in (await ask(ALL, "max")).json["jobs"]}
    assert (await ask("api/v1/jobs/63", "mia")).status == 404


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("show=ended", [62, 61, 60]),
        ("kind=training", [61]),
        ("q=by-hand", [60]),
        ("per_page=1&page=2&show=ended", [61]),
        ("show=ended&page=99", []),
        ("q=%3Cscript%3E", []),
    ],
)
async def test_the_list_is_filtered_and_has_pages(
    ask: Client, query: str, ids: list[int]
) -> None:
    answer = await ask(f"{ALL}?{query}", "mia")
    assert [one["id"] for one in answer.json["jobs"]] == ids


@pytest.mark.parametrize(
    "query",
    ["show=no", "kind=x", "page=0", "per_page=501", "q=" + "x" * 101, "unknown=1"],
)
async def test_a_query_that_makes_no_sense_is_refused(ask: Client, query: str) -> None:
    assert (await ask(f"{ALL}?{query}", "mia")).status == 400


async def test_one_job_says_why_it_waits_and_what_it_costs(ask: Client) -> None:
    job = (await ask("api/v1/jobs/106", "mia")).json["job"]
    [task] = job["tasks"]
    assert (task["reason"], task["is_waiting"], job["cost_micro"]) == (
        "Resources",
        True,
        0,
    )
    assert task["why"]
    assert job["actions"] == ["cancel", "hold"]
    assert job["currency"] == "JPY"


@pytest.mark.parametrize(
    ("path", "done"),
    [
        ("101/cancel", ("cancel", "mia", "101")),
        ("200/cancel", ("cancel", "mia", "200")),
        ("200_1/cancel", ("cancel", "mia", "200_1")),
        ("106/hold", ("hold", "mia", "106")),
        ("108/release", ("release", "mia", "108")),
    ],
)
async def test_what_is_done_is_done_as_the_person(
    site: FakeSite, ask: Client, path: str, done: tuple[str, str, str]
) -> None:
    assert (await ask(f"api/v1/jobs/{path}", "mia", "POST")).status == 204
    assert site.own_jobs.control.done == [done]
    assert site.queues.store.asked is not None


@pytest.mark.parametrize("action", ["cancel", "hold", "release"])
@pytest.mark.parametrize("number", [*HOSTILE, "103", "63", "999"])
async def test_what_is_not_ones_own_job_is_not_there(
    site: FakeSite, ask: Client, number: str, action: str
) -> None:
    answer = await ask(f"api/v1/jobs/{number}/{action}", "mia", "POST")
    assert answer.status in {400, 404}
    assert site.own_jobs.control.done == []


@pytest.mark.parametrize("path", ["60/cancel", "101/hold", "106/release", "108/hold"])
async def test_what_comes_too_late_is_a_conflict(ask: Client, path: str) -> None:
    assert (await ask(f"api/v1/jobs/{path}", "mia", "POST")).status == 409


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (ClusterRefused("Slurm refused.", reason="x"), 422),
        (ClusterTimedOut("No answer."), 504),
        (NotYourJob("Somebody else's."), 403),
    ],
)
async def test_what_slurm_says_is_passed_on(
    site: FakeSite,
    ask: Client,
    fault: ClusterRefused | ClusterTimedOut | NotYourJob,
    status: int,
) -> None:
    site.own_jobs.control.fault = fault
    answer = await ask("api/v1/jobs/101/cancel", "mia", "POST")
    assert answer.status == status


async def test_a_page_load_asks_slurm_nothing(site: FakeSite, ask: Client) -> None:
    await ask(ALL, "mia")
    await ask("api/v1/jobs/101", "mia")
    assert site.own_jobs.control.done == []
    assert site.queues.store.asked is None
