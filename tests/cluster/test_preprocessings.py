"""Preprocessing of many data: one array, new data from what its tasks leave."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from tests.cluster.run_lab import Now, RunsOfPerson, runs_of
from tests.cluster.stack import Stack, run_as, wait_until

MANY = 20
# Two new items of each: one with a folder in it; and what is none of them.
COMMAND = """\
set -e
cat "$KQI_INPUT/$DATA_ID/in.txt"
mkdir -p "$KQI_OUTPUT/upper $DATA_ID/deep" "$KQI_OUTPUT/count-$DATA_ID"
tr a-z A-Z < "$KQI_INPUT/$DATA_ID/in.txt" > "$KQI_OUTPUT/upper $DATA_ID/deep/out.txt"
wc -c < "$KQI_INPUT/$DATA_ID/in.txt" > "$KQI_OUTPUT/count-$DATA_ID/n.txt"
echo loose > "$KQI_OUTPUT/loose.txt"
ln -s /etc/passwd "$KQI_OUTPUT/count-$DATA_ID/passwd"
"""


@dataclass
class Preprocessing:
    """One person's data, and preprocessings of them, by REST."""

    runs: RunsOfPerson
    store: str

    def call(self, method: str, path: str, **body: Any) -> Any:
        answer = self.runs.client.request(method, path, json=body or None)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def data(self, content: bytes, name: str) -> int:
        about = {"files": 1, "bytes": len(content), "tags": ["raw"]}
        made = self.call("POST", "data", tenant="vision", name=name, **about)
        upload = made["upload"]
        answer = httpx2.put(
            f"{self.store}uploads/{upload['key']}/file",
            params={"path": "in.txt", "size": len(content), "offset": 0},
            headers={"Authorization": f"Bearer {upload['ticket']}"},
            content=content,
            timeout=60,
        )
        assert answer.is_success, answer.text
        self.call("POST", f"uploads/{upload['key']}/finish")
        return int(made["data"]["id"])

    def defined(self, command: str) -> int:
        made = self.call(
            "POST", "preprocessing", tenant="vision", name="Upper case", command=command
        )
        return int(made["id"])

    def run(self, number: int, data: list[int], **chosen: Any) -> Any:
        body = {"queue": "cpu", "data": data, "lifetime_s": 600, **chosen}
        return self.call("POST", f"preprocessing/{number}/run", **body)

    def listed(self, number: int) -> dict[int, Now]:
        """Return the runs of one by their data's number."""
        found = self.call(
            "GET", f"preprocessing-runs?preprocessing={number}&per_page=1000"
        )
        return {one["id"]: one for one in found["runs"]}

    def ended(self, number: int, limit_s: float = 240.0) -> dict[int, Now]:
        def told() -> str:
            lines = [
                (one["state"], one["detail"]) for one in self.listed(number).values()
            ]
            return str(lines)

        wait_until(
            lambda: not any(one["is_live"] for one in self.listed(number).values()),
            limit_s,
            told,
        )
        return self.listed(number)

    def products(self, run: int) -> list[Now]:
        found = self.call("GET", f"preprocessing-runs/{run}/data")
        return sorted(found["data"], key=lambda one: str(one["name"]))


@pytest.fixture
def alice(stack: Stack) -> Iterator[Preprocessing]:
    with runs_of(stack) as made:
        base = f"http://127.0.0.1:{stack.ports['proxy']}/services/store/"
        yield Preprocessing(made, base)


def test_twenty_data_are_one_array_and_become_forty(alice: Preprocessing) -> None:
    data = [
        alice.data(f"content of {number}".encode(), f"item {number}")
        for number in range(MANY)
    ]
    number = alice.defined(COMMAND)
    made = alice.run(number, data)
    assert made["data"] == data
    runs = alice.ended(number)
    assert len(runs) == MANY
    states = {one["state"] for one in runs.values()}
    assert states == {"completed"}, [one["detail"] for one in runs.values()]
    jobs = run_as(
        "root", "sacct", "-X", "-n", "-P", "-a", "-S", "now-1hours",
        f"--name={made['job_name']}", "-o", "jobid",
    )  # fmt: skip
    arrays = {line.partition("_")[0] for line in jobs.stdout.split()}
    assert len(arrays) == 1, "one submission for all of them"
    for run, item in zip(made["runs"], made["data"], strict=True):
        check_products(alice, run, item)
    used = alice.call("GET", f"preprocessing-runs/{made['runs'][3]}/array")
    assert (used["tasks"], used["ended"], used["ran"]) == (MANY, MANY, MANY)
    assert used["measured"] == MANY, "however short, each says what it used"
    assert 0 < used["memory_mb_max"] < used["memory_mb"]
    assert 0 < used["median_s"] <= used["longest_s"] <= used["total_s"]
    secret = alice.runs.scratch / "kqi/secrets" / made["job_name"]
    assert not secret.exists()
    again = alice.runs.client.post(
        f"preprocessing/{number}/run", json={"queue": "cpu", "data": data[:1]}
    )
    assert again.status_code == 409, again.text


def check_products(alice: Preprocessing, run: int, item: int) -> None:
    count, upper = alice.products(run)
    assert (count["name"], upper["name"]) == (f"count-{item}", f"upper {item}")
    for made in (count, upper):
        found = alice.call("GET", f"data/{made['id']}")
        assert set(found["tags"]) == {"Upper case", "raw"}
        assert found["parents"] == [item]
        assert found["files"] == 1, "links are not taken"
    listed = alice.call("GET", f"data/{upper['id']}/files")
    assert [one["path"] for one in listed["files"]] == ["deep/out.txt"]


def test_a_run_goes_with_what_it_made_unless_that_is_in_use(
    alice: Preprocessing,
) -> None:
    item = alice.data(b"abc", "small")
    number = alice.defined(COMMAND)
    [run] = alice.run(number, [item])["runs"]
    assert alice.ended(number)[run]["state"] == "completed"
    made = [one["id"] for one in alice.products(run)]
    again = alice.defined("true")
    [later] = alice.run(again, made[:1])["runs"]
    alice.ended(again)
    refused = alice.runs.client.delete(f"preprocessing-runs/{run}")
    assert refused.status_code == 409, refused.text
    alice.call("DELETE", f"preprocessing-runs/{later}")
    alice.call("DELETE", f"preprocessing-runs/{run}")
    for one in made:
        assert alice.runs.client.get(f"data/{one}").status_code == 404
    assert not (alice.runs.scratch / f"kqi/preprocessing/{run}").exists()
    assert alice.call("GET", f"data/{item}")["name"] == "small"
    alice.call("DELETE", f"preprocessing/{number}")


def test_what_fails_makes_no_data(alice: Preprocessing) -> None:
    item = alice.data(b"abc", "small")
    number = alice.defined(f"{COMMAND}\nexit 4")
    [run] = alice.run(number, [item])["runs"]
    ended = alice.ended(number)[run]
    assert (ended["state"], ended["exit_code"]) == ("failed", 4)
    assert alice.products(run) == []


def test_a_worker_that_is_killed_while_it_makes_data_makes_each_once(
    alice: Preprocessing, stack: Stack
) -> None:
    data = [alice.data(f"kill {number}".encode(), "k") for number in range(8)]
    number = alice.defined(COMMAND)
    made = alice.run(number, data)

    def is_collecting() -> bool:
        states = [one["state"] for one in alice.listed(number).values()]
        return bool({"collecting", "completed"} & set(states))

    wait_until(is_collecting, 120.0, lambda: str(alice.listed(number)))
    for _ in range(3):
        stack.kill("worker")
        stack.wait_ready("worker")
    runs = alice.ended(number)
    assert {one["state"] for one in runs.values()} == {"completed"}
    for run, item in zip(made["runs"], made["data"], strict=True):
        check_products(alice, run, item)
    assert alice.call("GET", "uploads?tenant=vision")["uploads"] == []
