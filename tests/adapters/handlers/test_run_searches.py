"""Searches of runs under a name, over REST and on the page: one's own alone."""

from typing import Any
from urllib.parse import parse_qsl, quote

import pytest

from kqi_hub.domain.run_searches import RunSearch
from kqi_hub.domain.runs import RunKind
from tests.adapters.handlers.browser import Browser
from tests.adapters.handlers.conftest import Client
from tests.fakes.site import FakeSite

SEARCHES = "api/v1/training/searches"
FAILED = {"state": "failed,killed", "asked_at": ">=2026-11", "favourite": False}


async def kept(
    ask: Client, person: str = "mia", path: str = SEARCHES
) -> dict[str, str]:
    answer = await ask(path, person)
    return {one["name"]: one["query"] for one in answer.json["searches"]}


async def test_a_search_is_kept_applied_replaced_and_deleted(
    ask: Client, site: FakeSite
) -> None:
    site.runs.furnish("mia")
    way = f"{SEARCHES}/{quote('failed lately')}"
    answer = await ask(way, "mia", "PUT", FAILED)
    assert (answer.status, answer.json["name"]) == (200, "failed lately")
    query = answer.json["query"]
    assert dict(parse_qsl(query)) == {**FAILED, "favourite": "no"}
    assert await kept(ask) == {"failed lately": query}
    for path in ("training", "api/v1/training"):
        assert (await ask(f"{path}?{query}", "mia")).status == 200
    await ask(way, "mia", "PUT", {"id": ">=2", "tag": "a,!b", "sort": "-name"})
    assert dict(parse_qsl((await kept(ask))["failed lately"])) == {
        "id": ">=2", "tag": "a,!b", "sort": "-name",
    }  # fmt: skip
    for _ in range(2):
        assert (await ask(way, "mia", "DELETE")).status == 204
    assert await kept(ask) == {}


async def test_what_is_found_is_what_the_conditions_say(
    ask: Client, site: FakeSite
) -> None:
    site.runs.furnish("mia")
    answer = await ask(f"{SEARCHES}/no%20first", "mia", "PUT", {"id": ">1,<4"})
    found = await ask(f"api/v1/training?{answer.json['query']}", "mia")
    assert [one["id"] for one in found.json["runs"]] == [3, 2]


async def test_nobody_sees_or_deletes_somebody_elses(ask: Client) -> None:
    way = f"{SEARCHES}/mine"
    await ask(way, "mia", "PUT", {"name": "secret"})
    for person in ("max", "rita", "mallory"):
        assert "secret" not in (await ask(SEARCHES, person)).text
        await ask(way, person, "DELETE")
    assert await kept(ask) == {"mine": "name=secret"}
    assert await kept(ask, path="api/v1/inference/searches") == {}
    assert (await ask(SEARCHES)).status == 401


@pytest.mark.parametrize(
    "name",
    [
        "abc",
        "   a   ",
        "x" * 61,
        "a\nbcd",
        "\u202eabcd",
        "ab\0cd",
        "...",
    ],
)
async def test_a_name_that_is_none_is_refused(
    ask: Client, site: FakeSite, name: str
) -> None:
    answer = await ask(f"{SEARCHES}/{quote(name)}", "mia", "PUT", {"id": "1"})
    assert answer.status == 400
    assert site.searches.searches("mia", RunKind.TRAINING) == ()


@pytest.mark.parametrize(
    "name", ["../..", "a/b/c/d", "<b>bold", "a'b\"c;--", "日本語で", "100%"]
)
async def test_odd_names_are_names(ask: Client, name: str) -> None:
    way = f"{SEARCHES}/{quote(name, safe='')}"
    assert (await ask(way, "mia", "PUT", {"id": "1"})).status == 200
    assert await kept(ask) == {name: "id=1"}
    page = (await ask("training?id=1", "mia")).text
    assert "<b>bold" not in page
    await ask(way, "mia", "DELETE")
    assert await kept(ask) == {}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"sort": "-id"},
        {"id": "seven"},
        {"id": "1" * 201},
        {"asked_at": "2026-02-30"},
        {"state": "sleeping"},
        {"tag": ",".join(f"t{n}" for n in range(51))},
        {"sort": "memo"},
        {"tenant": "nlp"},
        {"page": 2},
        {"id": 7},
        {"favourite": "maybe"},
        {"name": None},
        {"unknown": "1"},
        [],
    ],
)
async def test_what_is_no_search_of_the_list_is_not_kept(
    ask: Client, body: Any
) -> None:
    answer = await ask(f"{SEARCHES}/some", "mia", "PUT", body)
    assert answer.status == 400, answer.text
    assert await kept(ask) == {}


async def test_one_too_many_is_a_conflict(ask: Client) -> None:
    for number in range(50):
        answer = await ask(f"{SEARCHES}/nr{number:02}", "mia", "PUT", {"id": "1"})
        assert answer.status == 200
    answer = await ask(f"{SEARCHES}/nr50", "mia", "PUT", {"id": "1"})
    assert (answer.status, answer.json["code"]) == (409, "conflict")


async def test_the_page_keeps_shows_and_deletes_one(
    browser: Browser, site: FakeSite
) -> None:
    site.runs.furnish("mia")
    xsrf = (await browser.log_in("mia")).xsrf
    sent = {"_xsrf": xsrf, "name": " my <b>search ", "query": "page=3&id=%3E1&tag="}
    shown = await browser.send("training/searches", sent)
    assert "Kept: my &lt;b&gt;search" in shown.text
    assert site.searches.searches("mia", RunKind.TRAINING) == (
        RunSearch("my <b>search", "id=%3E1"),
    )
    assert 'aria-current="true"' in shown.main
    assert site.searches.searches("mia", RunKind.INFERENCE) == ()
    gone = {"_xsrf": xsrf, "name": "my <b>search", "back": "training?id=%3E1"}
    await browser.send("training/searches/delete", gone)
    assert site.searches.searches("mia", RunKind.TRAINING) == ()


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("abc", "id=1"),
        ("good", ""),
        ("good", "page=2"),
        ("good", "id=seven"),
        ("good", "unknown=1&" + "&".join(f"x{n}=1" for n in range(50))),
        ("good", "favourite=maybe"),
        ("good", "state=sleeping"),
        ("good", "name=" + "x" * 201),
        ("good", "%ff=%ff&name=\ud800"),
        ("x" * 1001, "id=1"),
    ],
)
async def test_the_page_keeps_nothing_that_is_no_search(
    browser: Browser, site: FakeSite, name: str, query: str
) -> None:
    xsrf = (await browser.log_in("mia")).xsrf
    sent = {"_xsrf": xsrf, "name": name, "query": query.replace("\ud800", "")}
    assert (await browser.send("training/searches", sent)).status == 400
    assert site.searches.searches("mia", RunKind.TRAINING) == ()


async def test_what_kqi_has_kept_stands_in_the_pages_form(
    ask: Client, site: FakeSite
) -> None:
    site.runs.furnish("mia")
    kept_ = await ask(f"{SEARCHES}/some", "mia", "PUT", FAILED)
    page = (await ask(f"training?{kept_.json['query']}", "mia")).text
    assert '<option value="failed,killed" selected>' in page
    assert '<option value="no" selected>' in page
    assert 'aria-current="true"' in page
