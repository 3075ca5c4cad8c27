"""What was run elsewhere, over REST and on its page: refused, shown, deleted."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from kqi_hub.domain.runs import RunState
from tests.adapters.handlers.conftest import Client
from tests.adapters.handlers.test_preprocessing_pages import Web
from tests.fakes.site import FakeSite

PAST, OPEN = "api/v1/preprocessing-runs", "preprocessing-runs/10"
CUT: dict[str, Any] = {"name": "cut", "files": 1, "bytes": 3}


@pytest.fixture
async def web(site: FakeSite) -> AsyncIterator[Web]:
    async with AsyncExitStack() as stack:
        yield Web(site, stack)


@pytest.fixture
async def known(site: FakeSite) -> FakeSite:
    """Give mia run 10, of preprocessing 1 on data 3: open for outside results."""
    await site.data.furnish("mia")
    site.runs.furnish("mia")
    site.preprocessings.furnish("mia")
    site.preprocessings.furnish_outside("mia")
    return site


async def upload(ask: Client, site: FakeSite, name: str = "cut") -> int:
    begun = await ask(f"{PAST}/10/data", "mia", "POST", {**CUT, "name": name})
    assert begun.status == 201, begun.text
    key = begun.json["upload"]["key"]
    assert begun.json["upload"]["ticket"]
    site.data.lab.store.receive(key, "a.txt", 3)
    done = await ask(f"api/v1/uploads/{key}/finish", "mia", "POST")
    number: int = done.json["data"]["id"]
    return number


async def test_results_are_uploaded_and_the_run_completed(
    ask: Client, known: FakeSite
) -> None:
    made = await upload(ask, known)
    again = await ask(f"{PAST}/10/data", "mia", "POST", CUT)
    assert (again.json["data"]["id"], again.json["upload"]) == (made, None)
    done = await ask(f"{PAST}/10/complete", "mia", "POST")
    assert (done.json["state"], done.json["files"]) == ("completed", 1)
    assert done.json["queue"] == done.json["slurm_id"] == ""
    products = await ask(f"{PAST}/10/data", "victor")
    assert [one["id"] for one in products.json["data"]] == [made]
    assert (await ask(f"{PAST}/10/complete", "mia", "POST")).status == 200
    assert (await ask(f"{PAST}/10/data", "mia", "POST", CUT)).status == 409


@pytest.mark.parametrize(
    "about",
    [
        {"preprocessing": 0}, {"preprocessing": "2"}, {"preprocessing": 2**64},
        {"preprocessing": 99}, {"preprocessing": None}, {"data": [1]}, {"data": 99},
        {"data": -1}, {"data": 1.5}, {"memo": "\0"}, {"memo": "x" * 4001},
        {"owner": "max"}, {"state": "completed"}, {"queue": "cpu"},
    ],
    ids=lambda about: ascii(about)[:60],
)  # fmt: skip
async def test_a_run_that_makes_no_sense_is_not_opened(
    ask: Client, known: FakeSite, about: dict[str, Any]
) -> None:
    before = set(known.runs.store.runs)
    sent = {"preprocessing": 2, "data": 1, **about}
    answer = await ask(PAST, "mia", "POST", sent)
    assert answer.status in {400, 404}, answer.text
    assert set(known.runs.store.runs) == before


@pytest.mark.parametrize(
    "about",
    [
        {"name": ""}, {"name": "a\nb"}, {"name": "\0"}, {"name": 1},
        {"name": "x" * 201}, {"files": -1}, {"files": "1"}, {"files": True},
        {"bytes": 2**61},
        {"tags": "ab"}, {"tags": ["a,b"]}, {"tags": ["x"] * 101}, {"memo": "\0"},
        {"parents": [2]}, {"tenant": "nlp"}, {"key": "x"},
    ],
    ids=lambda about: ascii(about)[:60],
)  # fmt: skip
async def test_results_that_make_no_sense_are_refused(
    ask: Client, known: FakeSite, about: dict[str, Any]
) -> None:
    answer = await ask(f"{PAST}/10/data", "mia", "POST", {**CUT, **about})
    assert answer.status == 400, answer.text
    assert known.preprocessings.outputs.of_run(10) == []


async def test_a_run_of_slurm_and_one_of_others_take_nothing(
    ask: Client, known: FakeSite
) -> None:
    for number, person, status in (
        ("8", "mia", 409), ("9", "mia", 409), ("1", "mia", 404), ("99", "mia", 404),
        ("10", "max", 403), ("10", "mallory", 404), ("10", "victor", 403),
        ("x", "mia", 404), ("-1", "mia", 404),
    ):  # fmt: skip
        for what, body in (("data", CUT), ("complete", None)):
            if (number, what) == ("8", "complete"):
                continue
            answer = await ask(f"{PAST}/{number}/{what}", person, "POST", body)
            assert answer.status == status, (number, person, what, answer.text)


async def test_its_page_says_that_it_was_done_elsewhere(
    ask: Client, web: Web, known: FakeSite
) -> None:
    page = (await web(OPEN, "mia")).text
    assert "Being uploaded" in page
    assert "Elsewhere" in page
    assert "kqi preprocessing build-history 1 --data 3 --source" in page
    assert "Waited" not in page
    assert 'id="stop"' not in page
    assert "data-log" not in page
    made = await upload(ask, known, "<b>cut</b>")
    page = (await web(OPEN, "victor")).text
    assert "&lt;b&gt;cut&lt;/b&gt;" in page
    assert f"/data/{made}" in page
    assert "build-history" not in page
    await ask(f"{PAST}/10/complete", "mia", "POST")
    page = (await web(OPEN, "mia")).text
    assert "It was done elsewhere. Its results were uploaded." in page
    assert "build-history" not in page


async def test_its_page_deletes_it_with_what_came_of_it(
    ask: Client, web: Web, known: FakeSite
) -> None:
    made = await upload(ask, known)
    sure = (await web(f"{OPEN}/delete", "mia")).text
    assert "What is still being uploaded for it." in sure
    assert "It has not ended" not in sure
    gone = await web(f"{OPEN}/delete", "mia", {})
    assert gone.status == 200
    assert 10 not in known.runs.store.runs
    assert made not in known.data.lab.book.items
    assert known.runs.store.runs[8].state is RunState.COMPLETED
