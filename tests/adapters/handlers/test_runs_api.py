"""Trainings and inferences over REST: submitted, listed, stopped, copied, refused."""

import asyncio
from typing import Any
from urllib.parse import quote

import pytest

from kqi_hub.domain.run_ports import Collected
from kqi_hub.domain.runs import RunState
from tests.adapters.handlers.conftest import Answer, Client
from tests.fakes.runs import DONE, FAILED, INFERENCE, LATE, PREPARED, RUNNING, WAITING
from tests.fakes.site import FakeSite

TRAINING, INFERENCES = "api/v1/training", "api/v1/inference"
ASKED: dict[str, Any] = {
    "tenant": "vision",
    "name": "first",
    "queue": "cpu",
    "command": "  python train.py\n\techo 'done' \n",
    "cpus": 2,
    "memory_mb": 4096,
    "lifetime_s": 3600,
}


async def submit(ask: Client, person: str = "mia", **about: Any) -> Answer:
    return await ask(TRAINING, person, "POST", {**ASKED, **about})


async def test_a_training_is_submitted_and_shown_with_all_that_was_asked_for(
    ask: Client, site: FakeSite
) -> None:
    site.runs.furnish("mia")
    about: dict[str, Any] = {
        "parents": [{"kind": "training", "id": DONE}],
        "variables": [{"name": "SEED", "value": " 7 "}],
        "ports": [8080],
        "zip": False,
        "staging": "copy",
        "tags": ["paper", "a b"],
        "source": {"url": "https://git.example.org/vision/model.git", "ref": "main"},
    }
    made = await submit(ask, **about)
    assert made.status == 201, made.text
    assert made.json["state"] == "asked"
    shown = await ask(f"{TRAINING}/{made.json['id']}", "victor")
    said = shown.json
    assert {name: said["choices"][name] for name in ASKED} == ASKED
    for name in ("parents", "variables", "ports", "zip", "staging"):
        assert said["choices"][name] == about[name]
    assert said["tags"] == ["a b", "paper"]
    assert len(said["choices"]["source"]["commit"]) == 40
    assert said["parents"][0]["page"] == f"training/{DONE}"
    # Where it lies is its owner's business, who reads it in their own name.
    assert (said["is_own"], said["folder"], said["actions"]) == (False, "", ["copy"])
    own = (await ask(f"{TRAINING}/{said['id']}", "mia")).json
    assert (own["is_own"], own["folder"]) == (True, f"kqi/training/{said['id']}")
    children = (await ask(f"{TRAINING}/{DONE}", "mia")).json["children"]
    assert [one["id"] for one in children] == [INFERENCE, said["id"]]


async def test_what_was_chosen_can_be_sent_again_as_it_came(
    ask: Client, site: FakeSite
) -> None:
    site.runs.furnish("mia")
    values = (await ask(f"{TRAINING}/{DONE}/copy", "max")).json
    made = await ask(TRAINING, "max", "POST", values)
    assert made.status == 201, made.text
    assert made.json["owner"] == "max"
    path = f"{TRAINING}/{DONE}/copy?as_parent=true"
    child = (await ask(path, "mia")).json
    assert child["parents"] == [{"kind": "training", "id": DONE}]
    assert (await ask(INFERENCES, "mia", "POST", child)).status == 201
    assert (await ask(path, "max")).status == 403


async def test_each_kind_has_its_own_list_and_numbers(
    ask: Client, site: FakeSite
) -> None:
    site.runs.furnish("mia")
    listed = await ask(TRAINING, "victor")
    assert [one["id"] for one in listed.json["runs"]] == [5, 4, 3, 2, 1]
    assert listed.headers["X-Total-Count"] == "5"
    listed = await ask(INFERENCES, "victor")
    assert [one["id"] for one in listed.json["runs"]] == [LATE, INFERENCE]
    assert listed.json["runs"][1]["value"] == "0.93"
    assert (await ask(f"{TRAINING}/{INFERENCE}", "mia")).status == 404
    assert (await ask(f"{INFERENCES}/{DONE}", "mia")).status == 404
    assert (await ask(TRAINING, "mallory")).json["runs"] == []


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("id=>=4", [5, 4]),
        ("id=<=2&sort=id", [1, 2]),
        ("name=i", [5, 3, 1]),
        ("name=!i", [4, 2]),
        ("state=failed,completed", [3, 1]),
        ("state=live", [5, 4, 2]),
        ("tag=baseline", [5, 4, 3, 2, 1]),
        ("tag=!baseline", []),
        ("command=epochs", [5, 4, 3, 2, 1]),
        ("owner=max", []),
        ("favourite=true", []),
        ("sort=name", [5, 1, 4, 2, 3]),
        ("page=2&per_page=2", [3, 2]),
        ("id=seven", []),
        ("asked_at=tomorrow", []),
        ("asked_at=1970", [5, 4, 3, 2, 1]),
        ("name=%00%F0%9F%98%80", []),
        ("name='%20OR%201=1--", []),
        ("tenant=vision", [5, 4, 3, 2, 1]),
    ],
)
async def test_a_list_is_filtered_sorted_and_cut_into_pages(
    ask: Client, site: FakeSite, query: str, ids: list[int]
) -> None:
    site.runs.furnish("mia")
    found = await ask(f"{TRAINING}?{query}", "mia")
    assert found.status == 200, found.text
    assert [one["id"] for one in found.json["runs"]] == ids


async def test_a_condition_that_cannot_be_read_is_named(
    ask: Client, site: FakeSite
) -> None:
    site.runs.furnish("mia")
    found = (await ask(f"{TRAINING}?id=seven&name=x", "mia")).json
    assert (found["unread"], found["total"]) == ({"id": "seven"}, 0)


async def test_a_stop_has_two_names_and_comes_once(ask: Client, site: FakeSite) -> None:
    site.runs.furnish("mia")
    first, second = await asyncio.gather(
        ask(f"{TRAINING}/{RUNNING}/stop", "mia", "POST", {"as_failed": True}),
        ask(f"{TRAINING}/{RUNNING}/stop", "mia", "POST", {"as_failed": True}),
    )
    assert {first.status, second.status} == {200}
    assert first.json["status"] == "stopping"
    assert site.runs.store.runs[RUNNING].stopping is RunState.KILLED
    stopped = await ask(f"{TRAINING}/{WAITING}/stop", "mia", "POST", {})
    assert stopped.status == 200
    assert site.runs.store.runs[WAITING].stopping is RunState.USER_CANCELED
    over = await ask(f"{TRAINING}/{DONE}/stop", "mia", "POST", {})
    assert (over.status, over.json["code"]) == (409, "conflict")


async def test_a_script_is_plain_text_and_there_when_it_was_made(
    ask: Client, site: FakeSite
) -> None:
    site.runs.furnish("mia")
    found = await ask(f"{TRAINING}/{DONE}/script", "victor")
    assert found.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert found.text.startswith("#!/bin/bash\n")
    assert (await ask(f"{TRAINING}/{WAITING}/script", "mia")).status == 409
    prepared = await ask(f"{TRAINING}/{PREPARED}/script", "mia")
    assert f"training-{PREPARED}-prepared" in prepared.text


async def test_a_prepared_run_is_not_submitted(ask: Client, site: FakeSite) -> None:
    made = await submit(ask, is_prepared=True)
    assert (made.status, made.json["state"]) == (201, "prepared")
    assert site.runs.submission.begun == []


async def test_a_deletion_says_what_is_against_it(ask: Client, site: FakeSite) -> None:
    site.runs.furnish("mia")
    found = (await ask(f"{TRAINING}/{DONE}/deletion", "mia")).json
    assert [one["id"] for one in found["blockers"]] == [INFERENCE]
    assert (found["files"], found["folder"]) == (3, f"kqi/training/{DONE}")
    assert (await ask(f"{TRAINING}/{DONE}", "mia", "DELETE")).status == 409
    gone = await asyncio.gather(
        *(ask(f"{TRAINING}/{FAILED}", "mia", "DELETE") for _ in range(2))
    )
    assert sorted(one.status for one in gone) == [204, 404]
    assert site.runs.submission.removed == [f"mia/training/{FAILED}"]


async def test_one_that_lives_is_deleted_when_its_job_has_ended(
    ask: Client, site: FakeSite
) -> None:
    site.runs.furnish("mia")
    path = f"{TRAINING}/{RUNNING}"
    assert (await ask(path, "max", "DELETE")).status == 403
    found = (await ask(f"{path}/deletion", "mia")).json
    assert (found["is_live"], found["is_going"]) == (True, False)
    gone = await asyncio.gather(*(ask(path, "mia", "DELETE") for _ in range(3)))
    assert [one.status for one in gone] == [204] * 3
    shown = (await ask(path, "max")).json
    assert (shown["status"], shown["status_text"]) == ("deleting", "Being deleted")
    assert (await ask(f"{path}/deletion", "mia")).json["is_going"]
    again = await ask(
        f"{TRAINING}/bulk", "mia", "POST", {"ids": [RUNNING], "action": "delete"}
    )
    assert [one["done"] for one in again.json["outcomes"]] == [True]
    site.runs.store.collected(RUNNING, Collected(RunState.USER_CANCELED), 200.0)
    assert (await ask(path, "mia")).status == 404
    assert (await ask(path, "mia", "DELETE")).status == 404


async def test_owners_are_told_with_what_they_are_called(
    ask: Client, site: FakeSite
) -> None:
    site.runs.furnish("mia")
    site.runs.store.people["mia"] = "Mia Müller"
    for person in ("mia", "max"):
        found = (await ask(f"{TRAINING}/{DONE}", person)).json
        assert (found["owner"], found["owner_name"]) == ("mia", "Mia Müller")
    listed = (await ask(TRAINING, "max")).json["runs"]
    assert {one["owner_name"] for one in listed} == {"Mia Müller"}
    site.runs.store.people.clear()
    assert (await ask(f"{TRAINING}/{DONE}", "max")).json["owner_name"] == ""


async def test_name_memo_tags_and_favourite_are_changed_afterwards(
    ask: Client, site: FakeSite
) -> None:
    site.runs.furnish("mia")
    change = {"name": "best", "memo": "µ", "tags": ["b", "a"], "is_favourite": True}
    found = (await ask(f"{TRAINING}/{DONE}", "mia", "PATCH", change)).json
    assert {name: found[name] for name in change} == {**change, "tags": ["a", "b"]}
    # What was asked for stays as it was.
    assert found["choices"]["name"] == "first"
    for odd in (
        {"name": "A B"},
        {"name": ""},
        {"memo": "\0"},
        {"memo": 1},
        {"tags": [""]},
        {"tags": "a"},
        {"is_favourite": "yes"},
        {"state": "completed"},
        {"owner": "max"},
    ):
        answer = await ask(f"{TRAINING}/{DONE}", "mia", "PATCH", odd)
        assert answer.status == 400, odd


async def test_tags_of_two_people_at_once_are_both_there(
    ask: Client, site: FakeSite
) -> None:
    site.runs.furnish("mia")
    tags = ("x", "y z", "日本", "100%")
    done = await asyncio.gather(
        *(
            ask(f"{TRAINING}/{DONE}/tags/{quote(tag, safe='')}", "mia", "PUT")
            for tag in tags
        )
    )
    assert {one.status for one in done} == {204}
    found = (await ask(f"{TRAINING}/tags?tenant=vision", "victor")).json
    assert found["tags"] == sorted([*tags, "baseline"])
    gone = await ask(f"{TRAINING}/{DONE}/tags/baseline", "mia", "DELETE")
    assert gone.status == 204
    assert (await ask(f"{TRAINING}/tags?tenant=vision", "mallory")).status == 404
    for odd in ("%00", "a%0Ab", "x" * 200, "%20"):
        answer = await ask(f"{TRAINING}/{DONE}/tags/{odd}", "mia", "PUT")
        assert answer.status in {400, 404}, odd


async def test_each_of_many_succeeds_or_fails_for_itself(
    ask: Client, site: FakeSite
) -> None:
    site.runs.furnish("mia")

    async def bulk(action: str, *ids: int, tag: str = "") -> dict[int, str]:
        sent = {"ids": ids, "action": action, "tag": tag}
        done = await ask(f"{TRAINING}/bulk", "mia", "POST", sent)
        assert done.status == 200, done.text
        return {one["id"]: one["code"] for one in done.json["outcomes"]}

    every = (DONE, RUNNING, INFERENCE, 999)
    missing = {INFERENCE: "not-found", 999: "not-found"}
    assert await bulk("tag", *every, tag="kept") == {DONE: "", RUNNING: "", **missing}
    assert site.runs.store.runs[RUNNING].tags == ("baseline", "kept")
    await bulk("untag", *every, tag="kept")
    assert site.runs.store.runs[RUNNING].tags == ("baseline",)
    assert await bulk("stop", DONE, RUNNING) == {DONE: "conflict", RUNNING: ""}
    await bulk("fail", WAITING)
    assert site.runs.store.runs[WAITING].stopping is RunState.KILLED
    assert await bulk("delete", DONE, FAILED, FAILED) == {DONE: "conflict", FAILED: ""}


async def test_an_estimate_keeps_nothing_and_says_price_and_objections(
    ask: Client, site: FakeSite
) -> None:
    found = await ask(f"{TRAINING}/estimate", "mia", "POST", ASKED)
    assert found.status == 200, found.text
    assert (found.json["is_possible"], found.json["objections"]) == (True, [])
    sent = {**ASKED, "cpus": 60_000}
    found = await ask(f"{TRAINING}/estimate", "mia", "POST", sent)
    assert found.json["is_possible"] is False
    assert found.json["objections"]
    assert (await submit(ask, cpus=60_000)).status == 400
    assert site.runs.store.runs == {}


async def test_a_run_without_a_lifetime_has_the_sites_as_far_as_its_queue_allows(
    ask: Client, site: FakeSite
) -> None:
    found = []
    for queue in ("cpu", "jupyter"):
        made = await submit(ask, queue=queue, lifetime_s=None)
        assert made.status == 201, made.text
        found.append(made.json["choices"]["lifetime_s"])
    assert found[0] == 24 * 3600
    assert found[1] < 24 * 3600
