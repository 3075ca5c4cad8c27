"""Preprocessings over REST: defined, run, read by their tenant, refused."""

import asyncio
from typing import Any

import pytest

from tests.adapters.handlers.browser import Browser
from tests.adapters.handlers.conftest import Client
from tests.fakes.site import FakeSite

PATH, PAST = "api/v1/preprocessing", "api/v1/preprocessing-runs"
BATCH: dict[str, Any] = {"queue": "cpu", "data": [1, 2], "lifetime_s": 600}


@pytest.fixture
async def furnished(site: FakeSite) -> FakeSite:
    await site.data.furnish("mia")
    site.runs.furnish("mia")
    site.preprocessings.furnish("mia")
    return site


async def test_a_tenant_reads_runs_and_their_products_but_others_do_not(
    ask: Client, furnished: FakeSite
) -> None:
    listed = await ask(PATH, "victor")
    assert [one["id"] for one in listed.json["preprocessings"]] == [2, 1]
    assert listed.headers["X-Total-Count"] == "2"
    past = await ask(f"{PAST}?preprocessing=1&sort=id", "victor")
    assert [(o["id"], o["data"], o["task"]) for o in past.json["runs"]] == [
        (8, 1, 0),
        (9, 2, 1),
    ]
    assert (await ask(f"{PAST}?data=2", "victor")).json["total"] == 1
    for path in (f"{PATH}/1", f"{PAST}/8", f"{PAST}/8/data", f"{PAST}/8/script"):
        assert (await ask(path, "victor")).status == 200, path
        assert (await ask(path, "mallory")).status == 404, path
    assert (await ask(f"{PAST}/1", "mia")).status == 404
    assert (await ask(PATH, "mallory")).json["preprocessings"] == []


async def test_two_batches_at_once_run_on_each_item_once(
    ask: Client, furnished: FakeSite
) -> None:
    first, second = await asyncio.gather(
        *(ask(f"{PATH}/2/run", "mia", "POST", BATCH) for _ in range(2))
    )
    # The fake's transactions are no real ones: tests/adapters/db has the race itself.
    assert 201 in {first.status, second.status}
    third = await ask(f"{PATH}/2/run", "mia", "POST", BATCH)
    assert (third.status, third.json["code"]) == (409, "conflict")
    skipping = {**BATCH, "skips_done": True}
    fourth = await ask(f"{PATH}/2/run", "mia", "POST", skipping)
    assert fourth.status == 409


@pytest.mark.parametrize(
    "about",
    [
        {"name": ""},
        {"name": "a\nb"},
        {"name": "x" * 500},
        {"name": 1},
        {"command": "\0"},
        {"command": "x" * 65_537},
        {"command": ["true"]},
        {"environment": "../base"},
        {"image": "--privileged"},
        {"image": "../../etc"},
        {"image": "x" * 401},
        {"image": "a\nb"},
        {"image": None},
        {"image": ["team/tool"]},
        {"image": "team/tool", "environment": "torch"},
        {"source": {"url": "ext::sh -c id"}},
        {"source": "https://git.example.org/a"},
        {"shape": {"cpus": 0}},
        {"shape": {"cpus": "2"}},
        {"shape": {"cpus": 1, "uid": 0}},
        {"shape": [1]},
        {"memo": "\0"},
        {"is_locked": False},
        {"tenant": "../vision"},
    ],
    ids=lambda about: ascii(about)[:60],
)
async def test_a_definition_that_makes_no_sense_is_refused(
    ask: Client, furnished: FakeSite, about: dict[str, Any]
) -> None:
    sent = {"tenant": "vision", "name": "new", **about}
    answer = await ask(PATH, "mia", "POST", sent)
    assert answer.status in {400, 404}, answer.text
    assert len(furnished.preprocessings.store.known) == 2


@pytest.mark.parametrize(
    "about",
    [
        {"queue": "cpu --uid=0"},
        {"queue": "nosuch"},
        {"data": []},
        {"data": [0]},
        {"data": ["1"]},
        {"data": [2**64]},
        {"data": list(range(1, 1002))},
        {"data": [99]},
        {"shape": {"cpus": 60_000}},
        {"lifetime_s": 0},
        {"variables": [{"name": "KQI_HOME", "value": "/"}]},
        {"skips_done": "yes"},
        {"command": "true"},
    ],
    ids=lambda about: ascii(about)[:60],
)
async def test_a_batch_that_makes_no_sense_is_refused_and_nothing_is_kept(
    ask: Client, furnished: FakeSite, about: dict[str, Any]
) -> None:
    before = set(furnished.runs.store.runs)
    answer = await ask(f"{PATH}/2/run", "mia", "POST", {**BATCH, **about})
    assert answer.status in {400, 404}, answer.text
    assert set(furnished.runs.store.runs) == before
    assert furnished.runs.submission.begun == []


async def test_what_does_what_it_did_stays(ask: Client, furnished: FakeSite) -> None:
    for change in ({"command": "false"}, {"environment": "x"}):
        refused = await ask(f"{PATH}/1", "mia", "PATCH", change)
        assert refused.status == 409, change
    kept = {"name": "renamed", "memo": "m", "shape": {"cpus": 3, "memory_mb": 2048}}
    changed = (await ask(f"{PATH}/1", "mia", "PATCH", kept)).json
    assert (changed["name"], changed["shape"]["cpus"]) == ("renamed", 3)
    assert (await ask(f"{PATH}/1", "mia", "DELETE")).status == 409
    assert (await ask(f"{PATH}/2", "victor", "DELETE")).status == 403
    assert (await ask(f"{PAST}/8", "max", "DELETE")).status == 403
    assert (await ask(f"{PAST}/9", "mia", "DELETE")).status == 204
    assert (await ask(f"{PAST}/9", "mia")).json["status"] == "deleting"


async def test_each_run_has_a_page(
    ask: Client, browser: Browser, furnished: FakeSite
) -> None:
    await browser.log_in("mia")
    for path in (f"{PAST}/8", "api/v1/training/1", "api/v1/inference/6"):
        page = (await ask(path, "mia")).json["page"]
        assert (await browser.open(page)).status == 200, page


async def test_an_array_is_added_up_for_its_tenant_alone(
    ask: Client, furnished: FakeSite
) -> None:
    furnished.preprocessings.furnish_outside("mia")
    for run in (8, 9):
        found = (await ask(f"{PAST}/{run}/array", "victor")).json
        assert (found["array"], found["tasks"], found["ended"]) == (8, 2, 1)
    assert found["states"] == {"completed": 1, "pending": 1}
    assert found["cpu"] == {"least": 0.75, "median": 0.75, "most": 0.75}
    assert (found["memory_mb_max"], found["memory_mb"]) == (900, 1024)
    assert (await ask(f"{PAST}/8/array", "mallory")).status == 404
    outside = await ask(f"{PAST}/10/array", "mia")
    assert (outside.status, outside.json["code"]) == (409, "conflict")


@pytest.mark.parametrize("run", ["1", "99", "0", "-1", "x", "8%00", "8.5", "9" * 30])
async def test_what_is_no_run_of_a_preprocessing_has_no_array(
    ask: Client, furnished: FakeSite, run: str
) -> None:
    assert (await ask(f"{PAST}/{run}/array", "mia")).status == 404
