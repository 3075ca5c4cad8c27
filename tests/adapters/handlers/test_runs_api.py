"""Trainings and inferences over REST: submitted, listed, stopped, copied, refused."""

import asyncio
from typing import Any
from urllib.parse import quote

import pytest

from kqi_hub.domain.runs import RunState
from tests.adapters.handlers.browser import SCRIPT, Browser
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


@pytest.mark.parametrize(
    "query",
    [
        "sort=password",
        "sort=id;drop",
        "state=gone",
        "page=0",
        "per_page=1001",
        "per_page=all",
        "favourite=perhaps",
        f"name={'x' * 201}",
        "nothing=1",
    ],
)
async def test_a_question_that_makes_no_sense_is_refused(
    ask: Client, query: str
) -> None:
    assert (await ask(f"{TRAINING}?{query}", "mia")).status == 400


@pytest.mark.parametrize(
    "about",
    [
        {"name": ""},
        {"name": "A b"},
        {"name": "x" * 31},
        {"name": "a\n#SBATCH --uid=root"},
        {"name": ["first"]},
        {"queue": "cpu --uid=0"},
        {"queue": "../cpu"},
        {"queue": "nosuch"},
        {"command": ""},
        {"command": " \n"},
        {"command": "echo \0"},
        {"command": "\ud800"},
        {"command": "x" * 65_537},
        {"command": "ä" * 40_000},
        {"command": 7},
        {"cpus": "2"},
        {"cpus": 0},
        {"cpus": 2.5},
        {"cpus": True},
        {"cpus": 10**30},
        {"memory_mb": -1},
        {"gpus": 1, "gpu_type": "a100,node=x"},
        {"lifetime_s": 0},
        {"lifetime_s": None},
        {"dataset": 99},
        {"dataset": "1"},
        {"dataset": 2**64},
        {"staging": "move"},
        {"parents": [{"kind": "training", "id": 99}]},
        {"parents": [{"kind": "preprocessing", "id": 1}]},
        {"parents": [{"kind": "training", "id": RUNNING}]},
        {"parents": [{"kind": "training", "id": DONE}] * 2},
        {"parents": [DONE]},
        {"environment": "../base"},
        {"environment": "a b"},
        {"source": {"url": "file:///etc/passwd"}},
        {"source": {"url": "ext::sh -c id"}},
        {"source": {"url": "--upload-pack=id"}},
        {"source": {"url": "https://git.example.org/a", "commit": "HEAD~1"}},
        {"source": {"url": "https://git.example.org/a", "ref": "--all"}},
        {"source": "https://git.example.org/a"},
        {"variables": [{"name": "A B", "value": ""}]},
        {"variables": [{"name": "KQI_RUN_ID", "value": "1"}]},
        {"variables": [{"name": "SLURM_JOB_ID", "value": "1"}]},
        {"variables": [{"name": "A", "value": "\0"}]},
        {"variables": [{"name": "A", "value": "x" * 4097}]},
        {"variables": {"A": "1"}},
        {"ports": [0]},
        {"ports": [65_536]},
        {"ports": [80, 80]},
        {"ports": ["80"]},
        {"zip": "yes"},
        {"memo": "a\0b"},
        {"memo": "x" * 100_000},
        {"tags": ["x"] * 51},
        {"tags": ["a\nb"]},
        {"tags": "paper"},
        {"is_prepared": 1},
        {"keeps_refused": "no"},
        {"owner": "max"},
        {"tenant": ""},
        {"tenant": None},
    ],
    ids=lambda about: ascii(about)[:60],
)
async def test_a_run_that_makes_no_sense_is_refused_and_nothing_is_kept(
    ask: Client, site: FakeSite, about: dict[str, Any]
) -> None:
    site.runs.furnish("mia")
    before = set(site.runs.store.runs)
    for path in (TRAINING, f"{TRAINING}/estimate"):
        if path != TRAINING and about.keys() & {"is_prepared", "keeps_refused"}:
            continue
        answer = await ask(path, "mia", "POST", {**ASKED, **about})
        # A queue that is not there, or somebody else's tenant, is not found.
        assert answer.status in {400, 404}, answer.text
    assert set(site.runs.store.runs) == before
    assert site.runs.submission.begun == []


@pytest.mark.parametrize(
    "command",
    [
        "echo $(id) `id` \"'; rm -rf /",
        "#SBATCH --uid=root\n#SBATCH --partition=secret",
        "echo ﷽ 😀 \u202e \x1b[31m",
        "x" * 65_536,
        "cat <<'EOF'\n--\nEOF\n",
    ],
    ids=ascii,
)
async def test_a_command_is_kept_letter_by_letter(
    ask: Client, site: FakeSite, command: str
) -> None:
    made = await submit(ask, command=command[:65_536])
    assert made.status == 201, made.text
    assert made.json["choices"]["command"] == command
    assert site.runs.store.runs[made.json["id"]].spec.command == command


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b"null", 400),
        (b'{"name": "a", "name": "b"}', 400),
        (b'{"name": NaN}', 400),
        (b"\xff\xfe", 400),
        (b"[" * 100_000, 400),
        (b'{"command": "' + b"x" * (1024 * 1024) + b'"}', 413),
    ],
    ids=["empty", "cut", "list", "null", "twice", "nan", "bytes", "deep", "1 MB"],
)
async def test_a_body_that_is_none_is_refused(
    ask: Client, site: FakeSite, body: bytes, status: int
) -> None:
    headers = {"Content_Type": "application/json"}
    answer = await ask(TRAINING, "mia", "POST", body, **headers)
    assert answer.status == status, answer.text
    assert site.runs.store.runs == {}


async def test_another_tenants_dataset_and_runs_are_not_there(
    ask: Client, site: FakeSite
) -> None:
    site.runs.furnish("mia")
    for end in ("", "/events", "/script", "/copy", "/deletion"):
        answer = await ask(f"{TRAINING}/{DONE}{end}", "mallory")
        assert answer.status == 404, end
    assert (await submit(ask, "mallory")).status == 404
    assert (await submit(ask, "victor")).status == 403


async def test_only_its_owner_changes_stops_and_deletes_a_run(
    ask: Client, site: FakeSite
) -> None:
    site.runs.furnish("mia")
    for method, path, body in (
        ("PATCH", f"{DONE}", {"memo": "mine"}),
        ("POST", f"{RUNNING}/stop", {"as_failed": True}),
        ("DELETE", f"{FAILED}", None),
        ("GET", f"{FAILED}/deletion", None),
        ("PUT", f"{DONE}/tags/mine", None),
        ("DELETE", f"{DONE}/tags/baseline", None),
    ):
        answer = await ask(f"{TRAINING}/{path}", "max", method, body)
        assert answer.status == 403, (path, answer.text)
        assert "mia" in answer.json["detail"]
    assert site.runs.submission.stopped == []


@pytest.mark.parametrize(
    "number", ["0", "-1", "one", "1e3", "٣", "%00", "..", "../1", "9" * 40, "%F0%9F"]
)
async def test_what_is_no_number_of_a_run_is_not_there(
    ask: Client, site: FakeSite, number: str
) -> None:
    site.runs.furnish("mia")
    path = quote(number, safe="%")
    assert (await ask(f"{TRAINING}/{path}/events", "mia")).status in {400, 404}


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
    assert (await ask(f"{TRAINING}/{RUNNING}", "mia", "DELETE")).status == 409
    gone = await asyncio.gather(
        *(ask(f"{TRAINING}/{FAILED}", "mia", "DELETE") for _ in range(2))
    )
    assert sorted(one.status for one in gone) == [204, 404]
    assert site.runs.submission.removed == [f"mia/training/{FAILED}"]


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


@pytest.mark.parametrize(
    "sent",
    [
        {"ids": [], "action": "stop"},
        {"ids": [0], "action": "stop"},
        {"ids": ["1"], "action": "stop"},
        {"ids": list(range(1, 1002)), "action": "stop"},
        {"ids": [1], "action": "shred"},
        {"ids": [1], "action": "tag"},
        {"ids": [1], "action": "tag", "tag": "a\0"},
        {"ids": 1, "action": "stop"},
        {"action": "stop"},
    ],
    ids=lambda sent: ascii(sent)[:60],
)
async def test_what_cannot_be_done_to_many_is_refused(
    ask: Client, site: FakeSite, sent: dict[str, Any]
) -> None:
    site.runs.furnish("mia")
    assert (await ask(f"{TRAINING}/bulk", "mia", "POST", sent)).status == 400
    assert site.runs.submission.stopped == []


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


@pytest.mark.parametrize("token", ["", "2|stale|stale|1", "x"])
async def test_a_page_of_another_site_cannot_stop_a_run(
    browser: Browser, site: FakeSite, token: str
) -> None:
    site.runs.furnish("mia")
    await browser.log_in("mia")
    async with browser.session.post(
        site.url(f"{TRAINING}/{RUNNING}/stop"),
        json={"as_failed": True},
        headers={**SCRIPT, "X-XSRFToken": token, "Sec-Fetch-Site": "cross-site"},
    ) as answer:
        assert answer.status == 403
    assert site.runs.store.runs[RUNNING].stopping is None


async def test_a_script_of_the_portals_own_page_may(
    browser: Browser, site: FakeSite
) -> None:
    site.runs.furnish("mia")
    shown = await browser.log_in("mia")
    async with browser.session.post(
        site.url(f"{TRAINING}/{RUNNING}/stop"),
        json={"as_failed": True},
        headers={**SCRIPT, "X-XSRFToken": shown.xsrf},
    ) as answer:
        assert answer.status == 200
    assert site.runs.store.runs[RUNNING].stopping is RunState.KILLED
