"""A notebook reads a dataset: from files that are sent to cells that read them."""

import hashlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from kqi_hub.domain.notebooks import Cause, Phase, Session
from tests.cluster.notebook_lab import (
    PERSON,
    SCRATCH,
    NotebookLab,
    notebook_lab,
    wait_for,
)
from tests.cluster.stack import Stack, run_as

FILES = {
    "a/one.txt": b"one",
    "a/b/two \u4f8b'\".bin": os.urandom(70_000),
    "empty": b"",
}
SUMS = 'cd "$KQI_INPUT" && find . -type f | sort | xargs -d "\\n" sha256sum'


@dataclass
class DatasetLab:
    """Alice's data and datasets through the real proxy, and her notebooks."""

    notebooks: NotebookLab

    def call(self, method: str, path: str, **body: Any) -> Any:
        """Return what the REST interface answers."""
        answer = self.notebooks.person.request(
            method, f"services/portal/api/v1/{path}", json=body or None
        )
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def data(self, files: dict[str, bytes]) -> int:
        """Return the number of new data with these files."""
        about = {"files": len(files), "bytes": sum(map(len, files.values()))}
        made = self.call("POST", "data", tenant="vision", name="signs", **about)
        upload = made["upload"]
        for path, content in files.items():
            self.send(upload, path, content)
        self.call("POST", f"uploads/{upload['key']}/finish")
        return int(made["data"]["id"])

    def send(self, upload: dict[str, Any], path: str, content: bytes) -> None:
        answer = httpx2.put(
            f"{self.notebooks.url.rstrip('/')}/services/store/uploads/"
            f"{upload['key']}/file",
            params={"path": path, "size": len(content), "offset": 0},
            headers={"Authorization": f"Bearer {upload['ticket']}"},
            content=content,
            timeout=60,
        )
        assert answer.is_success, answer.text

    def dataset(self, **entries: list[int]) -> int:
        made = self.call(
            "POST", "datasets", tenant="vision", name="signs", entries=entries
        )
        return int(made["id"])

    def staged(self, dataset: int) -> Any:
        """Return how staging a dataset has ended."""
        said = {"state": "building"}
        while said["state"] == "building":
            said = self.call("POST", f"datasets/{dataset}/stage")
        return said

    def notebook(self, dataset: int, command: str = "", staging: str = "link") -> int:
        """Return the number of a notebook that begins with a dataset."""
        name = f"d-{time.monotonic_ns()}"
        about = {"name": name, "queue": "cpu", "memory_mb": 512, "dataset": dataset}
        about |= {"command": command, "staging": staging}
        made = self.call("POST", "tenants/vision/notebooks", **about)
        return int(made["id"])

    def start(self, notebook: int) -> Session:
        """Start it through the portal, and return its session when it is ready."""
        said = self.call("POST", f"notebooks/{notebook}/start")
        session = self.notebooks.store.one(said["session"]["id"])
        assert session is not None
        self.notebooks.started.append(session.id)
        return self.notebooks.wait_phase(session, Phase.READY)


@pytest.fixture
def lab(stack: Stack) -> Iterator[DatasetLab]:
    with notebook_lab(stack) as made:
        yield DatasetLab(made)


def sums_of(folder: str, files: dict[str, bytes]) -> set[str]:
    return {
        f"{hashlib.sha256(content).hexdigest()}  ./{folder}/{path}"
        for path, content in files.items()
    }


def test_notebook_reads_its_dataset_and_cannot_change_it(lab: DatasetLab) -> None:
    one, two = lab.data(FILES), lab.data({"x": b"x"})
    number = lab.dataset(training=[one], testing=[two])
    out = SCRATCH / "workspace" / f"out-{number}"
    notebook = lab.notebook(number, f"({SUMS}) > {out}")
    lab.start(notebook)
    link = SCRATCH / "workspace" / f"input-{number}"
    assert (link / "meta.json").is_file()
    tree = link.readlink()
    assert tree.parent.name == "trees"
    said = {line for line in out.read_text().splitlines() if "./meta.json" not in line}
    assert said == sums_of(f"training/{one}", FILES) | sums_of(
        f"testing/{two}", {"x": b"x"}
    )
    for attempt in (
        f"echo bad > '{link}/testing/{two}/x'",
        f"rm -f '{link}/testing/{two}/x'",
        f"touch '{link}/new'",
        f"chmod u+w '{link}/testing/{two}/x'",
        f"mv '{link}/testing' '{link}/other'",
    ):
        assert run_as(PERSON, "bash", "-c", attempt).returncode != 0, attempt
    assert (link / "testing" / str(two) / "x").read_bytes() == b"x"
    assert run_as("bob", "ls", str(tree)).returncode != 0


def test_a_copy_on_the_node_is_read_instead_and_goes_away(lab: DatasetLab) -> None:
    one = lab.data(FILES)
    number = lab.dataset(training=[one])
    out = SCRATCH / "workspace" / f"out-{number}"
    notebook = lab.notebook(number, f"(echo $KQI_INPUT; {SUMS}) > {out}", "copy")
    session = lab.start(notebook)
    place, *said = out.read_text().splitlines()
    assert "kqi-input-" in place
    assert Path(place).is_dir()
    sums = {line for line in said if "./meta.json" not in line}
    assert sums == sums_of(f"training/{one}", FILES)
    link = SCRATCH / "workspace" / f"input-{number}"
    assert link.readlink().parent.name == "trees"
    lab.notebooks.stop(session)
    lab.notebooks.wait_ended(session)
    assert not Path(place).exists()


def test_use_is_remembered_and_locks_nothing(lab: DatasetLab) -> None:
    one = lab.data({"x": b"x"})
    number = lab.dataset(training=[one])
    notebook = lab.notebook(number)
    session = lab.start(notebook)
    found = lab.call("GET", f"lineage/dataset/{number}")
    things = {(node["kind"], node["id"]) for node in found["nodes"]}
    assert things == {
        ("dataset", str(number)),
        ("data", str(one)),
        ("notebook", str(notebook)),
    }
    dataset = lab.call("GET", f"datasets/{number}")
    assert not dataset["is_locked"]
    first = (SCRATCH / "workspace" / f"input-{number}").readlink()
    two = lab.data({"y": b"y"})
    lab.call(
        "PUT",
        f"datasets/{number}",
        entries={"training": [one, two]},
        changed_at=dataset["changed_at"],
    )
    # The session goes on with what it began with; a re-run sees what was changed.
    assert not (first / "training" / str(two)).exists()
    lab.notebooks.stop(session)
    lab.notebooks.wait_ended(session)
    lab.start(notebook)
    second = (SCRATCH / "workspace" / f"input-{number}").readlink()
    assert second != first
    assert (second / "training" / str(two) / "y").read_bytes() == b"y"


def test_second_staging_is_one_lookup(lab: DatasetLab) -> None:
    files = {f"d{n % 7}/f{n}": b"%d" % n for n in range(300)}
    number = lab.dataset(training=[lab.data(files)])
    staged = lab.staged(number)
    assert (staged["state"], staged["files"], staged["done"]) == ("ready", 300, 300)
    began = time.perf_counter()
    again = lab.call("POST", f"datasets/{number}/stage")
    took = time.perf_counter() - began
    assert again == staged
    # Through proxy and portal: the look itself has a benchmark of its own.
    assert took < 1.0, took
    folders = [Path(staged["path"]) / "training", Path(staged["path"])]
    assert all(one.stat().st_mode & 0o777 == 0o750 for one in folders)


def test_store_that_is_away_fails_the_start_in_words(
    lab: DatasetLab, stack: Stack
) -> None:
    number = lab.dataset(training=[lab.data({"x": b"x"})])
    notebook = lab.notebook(number)
    stack.hold("store")
    said = lab.call("POST", f"notebooks/{notebook}/start")
    session = lab.notebooks.store.one(said["session"]["id"])
    assert session is not None
    ended = lab.notebooks.wait_ended(session)
    assert ended.cause is Cause.FAILED
    assert "store" in ended.detail
    assert ended.job_id is None
    stack.release("store")
    stack.wait_ready("store")
    wait_for(lambda: lab.start(notebook).is_ready, 90, "it did not start")
