"""Data over REST: roles by the data's own tenant, filters, pages, hostile fields."""

from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest

from kqi_hub.domain.data import Kind, Thing
from kqi_hub.domain.data_item_ports import KnownTag
from kqi_hub.domain.dataset_ports import Blocker, Why
from kqi_hub.domain.errors import StoreFull, StoreUnavailable
from kqi_hub.domain.tickets import checked
from kqi_hub.domain.upload_ports import NewData, Quota, Quotas
from tests.adapters.handlers.conftest import Client
from tests.fakes.data import TICKET_KEY
from tests.fakes.site import FakeSite

DATA = "api/v1/data"
GOOD: dict[str, Any] = {"tenant": "vision", "name": "signs", "files": 1, "bytes": 3}
BLOCKER = Blocker(Thing(Kind.DATASET, "9"), Why.IN_LOCKED_DATASET, "frozen")


async def begin(ask: Client, person: str = "mia", **about: Any) -> dict[str, Any]:
    answer = await ask(DATA, person, "POST", {**GOOD, **about})
    assert answer.status == 201, answer.text
    made: dict[str, Any] = answer.json
    return made


async def test_data_show_when_their_upload_is_finished_and_not_before(
    ask: Client, site: FakeSite
) -> None:
    begun = await begin(ask, tags=["raw", " raw "], memo="paper")
    upload = begun["upload"]
    assert upload["url"] == f"services/store/uploads/{upload['key']}"
    told = checked(upload["ticket"], TICKET_KEY, 0)
    assert (told.person, told.tenant, told.files, told.bytes) == ("mia", "vision", 1, 3)
    assert (await ask(DATA, "mia")).json["data"] == []
    assert (await ask(f"{DATA}/{begun['data']['id']}", "mia")).status == 404
    finish = f"api/v1/uploads/{upload['key']}/finish"
    early = await ask(finish, "mia", "POST")
    assert (early.status, early.json["code"]) == (409, "incomplete")
    site.data.lab.store.receive(upload["key"], "a/one.txt", 3)
    done = await ask(finish, "mia", "POST")
    assert (done.status, done.json["state"]) == (200, "done")
    assert done.json["data"]["tags"] == ["raw"]
    assert (await ask(finish, "mia", "POST")).json == done.json
    [row] = (await ask(DATA, "victor")).json["data"]
    assert (row["name"], row["files"], row["created_by"]) == ("signs", 1, "mia")


ROUTES = [
    ("GET", "", None),
    ("PATCH", "", {"memo": "x"}),
    ("DELETE", "", None),
    ("GET", "/files", None),
    ("GET", "/folder", None),
    ("GET", "/blockers", None),
    ("POST", "/uploads", {"files": 1, "bytes": 1}),
    ("POST", "/files/remove", {"paths": ["three.bin"]}),
    ("PUT", "/tags/x", None),
    ("DELETE", "/tags/x", None),
]


@pytest.mark.parametrize(("method", "end", "body"), ROUTES)
async def test_data_of_another_tenant_are_not_there(
    ask: Client, site: FakeSite, method: str, end: str, body: object
) -> None:
    number = await site.data.make("mia")
    answer = await ask(f"{DATA}/{number}{end}", "mallory", method, body)
    assert (answer.status, answer.json["code"]) == (404, "not-found")


@pytest.mark.parametrize(("method", "end", "body"), ROUTES)
@pytest.mark.parametrize("number", ["0", "9999999999999999999999", "1a", "none"])
async def test_what_is_no_number_are_no_data(
    ask: Client, number: str, method: str, end: str, body: object
) -> None:
    answer = await ask(f"{DATA}/{number}{end}", "mia", method, body)
    assert answer.status == 404, answer.text


async def test_what_others_made_is_changed_by_managers_only(
    ask: Client, site: FakeSite
) -> None:
    number = await site.data.make("max")
    path = f"{DATA}/{number}"
    assert (await ask(path, "mia", "PATCH", {"memo": "x"})).status == 403
    assert (await ask(path, "mia")).json["may_change"] is False
    other = await site.data.make("mia")
    assert (await ask(f"{DATA}/{other}", "max", "DELETE")).status == 204


async def test_tags_are_any_text_and_vanish_with_their_last_use(
    ask: Client, site: FakeSite
) -> None:
    number = await site.data.make("mia", NewData("vision", "signs"))
    for tag in ("猫", "a b", "50%", "a/b", "?#&", "'\"<b>"):
        path = f"{DATA}/{number}/tags/{quote(tag, safe='')}"
        assert (await ask(path, "mia", "PUT")).status == 204
        assert (await ask(path, "mia", "PUT")).status == 204
        assert site.data.lab.book.known_tags("vision") == (KnownTag(tag, 1),)
        assert (await ask(f"{DATA}/tags?tenant=vision", "victor")).json == {
            "tags": [{"name": tag, "data": 1}]
        }
        assert (await ask(path, "mia", "DELETE")).status == 204
    assert (await ask(f"{DATA}/tags?tenant=vision", "victor")).json == {"tags": []}
    assert (await ask(f"{DATA}/tags?tenant=vision", "mallory")).status == 404


@pytest.mark.parametrize("tag", ["%00", "a%0Ab", "x" * 300, "%20", "a,b", "!a", "%FF"])
async def test_a_tag_that_cannot_be_one_is_refused(
    ask: Client, site: FakeSite, tag: str
) -> None:
    number = await site.data.make("mia")
    answer = await ask(f"{DATA}/{number}/tags/{tag}", "mia", "PUT")
    assert answer.status == 400, answer.text


async def test_data_in_use_say_what_needs_them(ask: Client, site: FakeSite) -> None:
    number = await site.data.make("mia")
    site.data.lab.book.blocked[number] = (BLOCKER,)
    for method, end, body in ROUTES[2:3] + ROUTES[6:8]:
        answer = await ask(f"{DATA}/{number}{end}", "mia", method, body)
        assert (answer.status, answer.json["code"]) == (409, "blocked"), answer.text
        assert answer.json["blockers"] == [
            {"kind": "dataset", "id": "9", "name": "frozen", "why": BLOCKER.why.value}
        ]
    shown = (await ask(f"{DATA}/{number}/blockers", "mia")).json["blockers"]
    assert shown[0]["page"] == "datasets/9?tenant=vision"
    assert (await ask(f"{DATA}/{number}", "mia", "PATCH", {"memo": "x"})).status == 200


async def test_the_list_is_filtered_sorted_counted_and_has_pages(
    ask: Client, site: FakeSite
) -> None:
    for name, tags in (("one", ("a", "b")), ("two", ("a",)), ("three", ())):
        await site.data.make("mia", NewData("vision", name, f"memo of {name}", tags))
    await site.data.make("mallory", NewData("nlp", "others"))

    async def names(query: str, person: str = "victor") -> list[str]:
        answer = await ask(f"{DATA}?{query}", person)
        assert answer.status == 200, answer.text
        return [row["name"] for row in answer.json["data"]]

    assert await names("") == ["three", "two", "one"]
    assert await names("", "mia") == ["others", "three", "two", "one"]
    assert await names("tenant=nlp", "mia") == ["others"]
    assert await names("name=o&sort=name") == ["one", "two"]
    assert await names("name=!o") == ["three"]
    assert await names("tag=a,!b") == ["two"]
    assert await names("id=%3E1&per_page=1&page=2") == ["two"]
    page = await ask(f"{DATA}?per_page=1&with_total=true", "victor")
    assert (page.json["total"], page.headers["X-Total-Count"]) == (3, "3")
    assert "X-Total-Count" not in (await ask(DATA, "victor")).headers
    unread = await ask(f"{DATA}?id=many", "victor")
    assert (unread.json["data"], unread.json["unread"]) == ([], {"id": "many"})
    assert (await ask(f"{DATA}?tenant=nlp", "victor")).status == 404


async def test_files_come_in_pages_and_folders_level_by_level(
    ask: Client, site: FakeSite
) -> None:
    number = await site.data.make("mia")
    first = (await ask(f"{DATA}/{number}/files?limit=2", "victor")).json
    assert [one["path"] for one in first["files"]] == ["a/one.txt", "a/two.txt"]
    after = quote(first["next"], safe="")
    rest = (await ask(f"{DATA}/{number}/files?limit=2&after={after}", "victor")).json
    assert [one["path"] for one in rest["files"]] == ["three.bin"]
    assert (rest["next"], len(rest["files"][0]["sha256"])) == (None, 64)
    top = (await ask(f"{DATA}/{number}/folder", "victor")).json["entries"]
    assert [(one["name"], one["is_folder"]) for one in top] == [
        ("a", True),
        ("three.bin", False),
    ]


async def test_blanks_at_the_ends_of_paths_belong_to_them(
    ask: Client, site: FakeSite
) -> None:
    begun = await begin(ask)
    key, number = begun["upload"]["key"], begun["data"]["id"]
    site.data.lab.store.receive(key, " a ", 3)
    await ask(f"api/v1/uploads/{key}/finish", "mia", "POST")
    [one] = (await ask(f"{DATA}/{number}/files", "mia")).json["files"]
    assert one["path"] == " a "
    path = f"{DATA}/{number}/files/remove"
    assert (await ask(path, "mia", "POST", {"paths": ["a"]})).status == 404
    answer = await ask(path, "mia", "POST", {"paths": [" a "]})
    assert (answer.status, answer.json["files"]) == (200, 0)


async def test_of_many_each_succeeds_or_fails_for_itself(
    ask: Client, site: FakeSite
) -> None:
    mine, others = await site.data.make("mia"), await site.data.make("max")
    sent = {"ids": [mine, others, 77], "action": "tag", "tag": "checked"}
    answer = await ask(f"{DATA}/bulk", "mia", "POST", sent)
    assert [(o["done"], o["code"]) for o in answer.json["outcomes"]] == [
        (True, ""),
        (False, "not-permitted"),
        (False, "not-found"),
    ]
    assert all(one["detail"] for one in answer.json["outcomes"][1:])


@pytest.mark.parametrize(
    "about",
    [
        {"name": ""},
        {"name": "  "},
        {"name": "a\nb"},
        {"name": "x" * 201},
        {"name": None},
        {"memo": "\u0000"},
        {"tags": "raw"},
        {"tags": ["a,b"]},
        {"tags": ["x"] * 101},
        {"files": -1},
        {"files": "1"},
        {"files": True},
        {"files": 10**30},
        {"bytes": 1.5},
        {"bytes": -1},
        {"files": 0, "bytes": 3},
        {"parents": [0]},
        {"parents": [2**64]},
        {"parents": ["1"]},
        {"origin": "stolen"},
        {"person": "max"},
        {"tenant": None},
    ],
)
async def test_a_field_that_breaks_its_rule_is_a_problem_and_nothing_is_kept(
    ask: Client, site: FakeSite, about: dict[str, Any]
) -> None:
    answer = await ask(DATA, "mia", "POST", {**GOOD, **about})
    assert answer.status == 400, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert site.data.lab.book.items == {}


async def test_a_viewer_and_a_stranger_make_nothing(
    ask: Client, site: FakeSite
) -> None:
    assert (await ask(DATA, "victor", "POST", GOOD)).status == 403
    assert (await ask(DATA, "mallory", "POST", GOOD)).status == 404
    assert site.data.lab.book.items == {}


async def test_beyond_a_quota_it_is_said(ask: Client, site: FakeSite) -> None:
    site.data.lab.quotas = Quotas(Quota(most_bytes=2), Quota())
    answer = await ask(DATA, "mia", "POST", GOOD)
    assert (answer.status, answer.json["code"]) == (409, "quota")


async def test_uploads_are_ones_own(ask: Client) -> None:
    key = (await begin(ask))["upload"]["key"]
    path = f"api/v1/uploads/{key}"
    for person in ("max", "rita", "mallory"):
        assert (await ask(path, person)).status == 404
        assert (await ask(path, person, "DELETE")).status == 404
        assert (await ask(f"{path}/finish", person, "POST")).status == 404
        assert (await ask("api/v1/uploads", person)).json == {"uploads": []}
    [row] = (await ask("api/v1/uploads", "mia")).json["uploads"]
    assert (row["key"], row["ticket"]) == (key, "")
    assert (await ask(path, "mia")).json["ticket"].startswith("kqi1.")
    assert (await ask(path, "mia", "DELETE")).status == 204
    assert (await ask(path, "mia")).json["state"] == "dropped"
    assert (await ask(f"{path}/finish", "mia", "POST")).status == 409


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (StoreUnavailable("The store is silent.", "Wait."), 503, "store-unavailable"),
        (StoreFull("The disk is full.", "Ask for room."), 507, "disk-full"),
    ],
)
async def test_what_the_store_cannot_do_is_told_and_can_be_done_later(
    ask: Client, site: FakeSite, error: Exception, status: int, code: str
) -> None:
    begun = await begin(ask)
    key = begun["upload"]["key"]
    site.data.lab.store.receive(key, "a", 3)
    site.data.lab.store.fails["publish"] = [error]
    finish = f"api/v1/uploads/{key}/finish"
    answer = await ask(finish, "mia", "POST")
    assert (answer.status, answer.json["code"]) == (status, code)
    assert (await ask(finish, "mia", "POST")).json["state"] == "done"


async def test_storage_counts_the_tenant_and_each_person(
    ask: Client, site: FakeSite
) -> None:
    await site.data.make("mia", size=10)
    await site.data.make("max", size=100)
    site.data.lab.quotas = Quotas(Quota(most_bytes=400), Quota(most_files=3))
    found = (await ask("api/v1/storage?tenant=vision", "victor")).json
    assert (found["use"]["files"], found["use"]["bytes"]) == (6, 330)
    assert [one["person"] for one in found["people"]] == ["max", "mia"]
    assert {(o["whose"], o["what"], o["percent"]) for o in found["warnings"]} == {
        ("tenant", "bytes", 82),
        ("person", "files", 100),
    }
    assert found["disk"] is None
    with_disk = await ask("api/v1/storage?tenant=vision&with_disk=true", "victor")
    assert set(with_disk.json["disk"]) >= {"content_bytes", "free_bytes"}
    assert (await ask("api/v1/storage?tenant=nlp", "victor")).status == 404


async def test_a_change_of_what_has_changed_meanwhile_is_a_conflict(
    ask: Client, site: FakeSite
) -> None:
    number = await site.data.make("mia")
    item = site.data.lab.book.items[number]
    site.data.lab.book.items[number] = replace(item, changed_at=item.changed_at + 5)
    sent = {"name": "other", "changed_at": item.changed_at}
    assert (await ask(f"{DATA}/{number}", "mia", "PATCH", sent)).status == 409
