"""Datasets and lineage over REST: types, locks, pages, what a job would see."""

from typing import Any
from urllib.parse import quote

import pytest

from kqi_hub.domain.data import Kind, Thing
from kqi_hub.domain.upload_ports import NewData
from tests.adapters.handlers.conftest import Client
from tests.fakes.site import FakeSite

SETS = "api/v1/datasets"
TRAINING = Thing(Kind.TRAINING, "12")


async def make(
    ask: Client, entries: object, person: str = "mia", **about: Any
) -> dict[str, Any]:
    sent = {"tenant": "vision", "name": "signs", "entries": entries, **about}
    answer = await ask(SETS, person, "POST", sent)
    assert answer.status == 201, answer.text
    made: dict[str, Any] = answer.json
    return made


async def test_a_dataset_has_its_tenants_types(ask: Client, site: FakeSite) -> None:
    one, two = [await site.data.make("mia") for _ in range(2)]
    made = await make(ask, {"training": [one], "testing": [two, one]})
    assert made["types"] == [
        {"type": "training", "items": 1},
        {"type": "testing", "items": 2},
        {"type": "validation", "items": 0},
    ]
    entries = (await ask(f"{SETS}/{made['id']}/entries", "victor")).json
    assert entries["entries"] == {"testing": [one, two], "training": [one]}
    shown = (await ask(f"{SETS}/{made['id']}/items?type=testing", "victor")).json
    assert [row["folder"] for row in shown["items"]] == [
        f"testing/{one}",
        f"testing/{two}",
    ]


async def test_a_flat_dataset_has_numbers_only(ask: Client, site: FakeSite) -> None:
    one = await site.data.make("mia")
    made = await make(ask, [one], is_flat=True)
    assert (made["is_flat"], made["items"]) == (True, 1)
    entries = (await ask(f"{SETS}/{made['id']}/entries", "mia")).json
    assert entries["entries"] == [one]
    pairs = (await ask(f"{SETS}/{made['id']}/path-pairs", "mia")).json["pairs"]
    assert pairs[0]["path"] == f"{one}/a/one.txt"


@pytest.mark.parametrize(
    ("entries", "about"),
    [
        ({"training": [77]}, {}),
        ({"training": [0]}, {}),
        ({"training": [2**64]}, {}),
        ({"training": ["1"]}, {}),
        ({"training": [True]}, {}),
        ({"training": [1, 1]}, {}),
        ({"../..": [1]}, {}),
        ({"nosuch": [1]}, {}),
        ({"": [1]}, {}),
        ({"training": 1}, {}),
        ({"training": [1]}, {"is_flat": True}),
        ([1], {}),
        ([1, 1], {"is_flat": True}),
        ("1", {}),
        (None, {}),
        ({"training": [1]}, {"name": " "}),
        ({"training": [1]}, {"name": "a\nb"}),
        ({"training": [1]}, {"memo": "\u0000"}),
        ({"training": [1]}, {"locked": True}),
    ],
)
async def test_entries_that_make_no_sense_are_refused_and_nothing_is_kept(
    ask: Client, site: FakeSite, entries: object, about: dict[str, Any]
) -> None:
    await site.data.make("mia")
    sent = {"tenant": "vision", "name": "signs", "entries": entries, **about}
    answer = await ask(SETS, "mia", "POST", sent)
    assert answer.status == 400, answer.text
    assert site.data.datasets.datasets == {}


async def test_data_of_another_tenant_are_in_no_dataset(
    ask: Client, site: FakeSite
) -> None:
    others = await site.data.make("mallory", NewData("nlp", "theirs"))
    sent = {"tenant": "vision", "name": "x", "entries": {"training": [others]}}
    assert (await ask(SETS, "mia", "POST", sent)).status == 400


async def test_a_locked_dataset_is_renamed_and_copied_but_not_changed(
    ask: Client, site: FakeSite
) -> None:
    one = await site.data.make("mia")
    made = await make(ask, {"training": [one]})
    path = f"{SETS}/{made['id']}"
    site.data.datasets.lock(made["id"], TRAINING, 1.0)
    sent = {"entries": {}, "changed_at": made["changed_at"]}
    refused = await ask(path, "mia", "PUT", sent)
    assert refused.status == 409
    assert (await ask(path, "mia", "DELETE")).status == 409
    shown = (await ask(path, "victor")).json
    assert shown["is_locked"] is True
    assert (shown["blockers"][0]["kind"], shown["blockers"][0]["id"]) == (
        "training",
        "12",
    )
    renamed = await ask(path, "mia", "PATCH", {"name": "frozen", "memo": "paper"})
    assert (renamed.status, renamed.json["name"]) == (200, "frozen")
    copy = await ask(f"{path}/copy", "max", "POST", {"name": ""})
    assert (copy.json["name"], copy.json["is_locked"]) == ("frozen (copy)", False)
    sent = {"entries": {}, "changed_at": copy.json["changed_at"]}
    emptied = await ask(f"{SETS}/{copy.json['id']}", "max", "PUT", sent)
    assert (emptied.status, emptied.json["items"]) == (200, 0)


async def test_a_change_of_what_has_changed_meanwhile_is_a_conflict(
    ask: Client, site: FakeSite
) -> None:
    made = await make(ask, {})
    path, sent = f"{SETS}/{made['id']}", {"entries": {}, "changed_at": 1}
    assert (await ask(path, "mia", "PUT", sent)).status == 409


async def test_what_a_job_would_see_comes_in_pages(ask: Client, site: FakeSite) -> None:
    one, two = [await site.data.make("mia") for _ in range(2)]
    made = await make(ask, {"training": [one, two], "testing": [one]})
    paths, after = [], ""
    for _ in range(9):
        query = f"limit=2&after={quote(after, safe='')}"
        page = (await ask(f"{SETS}/{made['id']}/path-pairs?{query}", "victor")).json
        paths += [row["path"] for row in page["pairs"]]
        if page["next"] is None:
            break
        after = page["next"]
    assert len(paths) == len(set(paths)) == 9
    assert paths[0] == f"testing/{one}/a/one.txt"


@pytest.mark.parametrize("after", ["x", "training:", ":x:", "training:-1:", "a:1e9:b"])
async def test_a_next_that_was_never_given_is_refused(
    ask: Client, site: FakeSite, after: str
) -> None:
    made = await make(ask, {})
    for end in ("items", "path-pairs"):
        path = f"{SETS}/{made['id']}/{end}?after={quote(after, safe='')}"
        assert (await ask(path, "mia")).status == 400


async def test_thousands_of_entries_are_taken_at_once(
    ask: Client, site: FakeSite
) -> None:
    number = await site.data.make("mia")
    item = site.data.lab.book.items[number]
    for other in range(1000, 6000):
        site.data.lab.book.items[other] = item
    made = await make(ask, {"training": list(range(1000, 6000))})
    assert made["items"] == 5000
    page = (await ask(f"{SETS}/{made['id']}/items?limit=1000", "mia")).json
    assert (len(page["items"]), page["next"]) == (1000, "training:1999:")


async def test_types_are_the_managers_to_choose(ask: Client) -> None:
    path = "api/v1/tenants/vision/dataset-types"
    usual = ["training", "testing", "validation"]
    assert (await ask(path, "victor")).json == {"types": usual}
    sent = {"types": [*usual, "calibration"]}
    assert (await ask(path, "mia", "PUT", sent)).status == 403
    assert (await ask(path, "max", "PUT", sent)).json == sent
    for types in ([], ["a b"], ["../x"], ["A", "a"], ["x"] * 60, "training", [1]):
        answer = await ask(path, "max", "PUT", {"types": types})
        assert answer.status == 400, types


async def test_staging_is_asked_until_it_is_ready(ask: Client, site: FakeSite) -> None:
    one = await site.data.make("mia")
    made = await make(ask, {"training": [one]})
    staged = await ask(f"{SETS}/{made['id']}/stage", "mia", "POST")
    assert staged.status == 200, staged.text
    assert (staged.json["state"], staged.json["files"]) == ("ready", 3)
    assert (await ask(f"{SETS}/{made['id']}/stage", "victor", "POST")).status == 403
    assert (await ask(f"{SETS}/{made['id']}/stage", "mallory", "POST")).status == 404


async def test_lineage_joins_data_with_what_was_made_of_them(
    ask: Client, site: FakeSite
) -> None:
    one = await site.data.make("mia")
    made = await make(ask, {"training": [one]})
    site.data.datasets.lock(made["id"], TRAINING, 1.0)
    graph = (await ask(f"api/v1/lineage/data/{one}", "victor")).json
    names = {(node["kind"], node["id"]) for node in graph["nodes"]}
    assert names >= {("data", str(one)), ("dataset", str(made["id"]))}
    assert graph["blockers"][0]["page"] == f"datasets/{made['id']}?tenant=vision"
    assert (await ask(f"api/v1/lineage/data/{one}", "mallory")).status == 404


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("data/999", 404),
        ("data/one", 400),
        ("data/-1", 400),
        ("nothing/1", 400),
        ("data/1?depth=0", 400),
        ("data/1?depth=99", 400),
        ("data/%00", 400),
        ("data/%F0%9F%98%80", 400),
        ("commit/https%3A%2F%2Fh.org%2Fa@abc", 404),
    ],
)
async def test_lineage_of_what_is_not_there_is_said_so(
    ask: Client, path: str, status: int
) -> None:
    answer = await ask(f"api/v1/lineage/{path}", "mia")
    assert answer.status == status, answer.text
