"""What the worker ends, and what store and database say of each other, for real."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.notebook_lab import notebook_lab, wait_for
from tests.cluster.portal_lab import kqi_hub
from tests.cluster.stack import Stack
from tests.cluster.test_dataset_notebook import DatasetLab

STORE = Path("/scratch/kqi-store/vision")
# The worker leaves things to the portal for a minute, and looks half a minute after it
# has done what it had to do: for tests beside this one, too.
KEPT_S = 300


@pytest.fixture
def lab(stack: Stack) -> Iterator[DatasetLab]:
    with notebook_lab(stack) as made:
        yield DatasetLab(made)


def folder_of(data_id: int) -> Path:
    return STORE / "data" / str(data_id)


def status(lab: DatasetLab, method: str, path: str) -> int:
    answer = lab.notebooks.person.request(method, f"services/portal/api/v1/{path}")
    return answer.status_code


def answered(lab: DatasetLab, method: str, path: str) -> tuple[int, str]:
    """Return the status, and the error's code: the proxy has a 503 of its own."""
    answer = lab.notebooks.person.request(method, f"services/portal/api/v1/{path}")
    return answer.status_code, answer.json().get("code", "")


def compared(*words: str) -> dict[str, Any]:
    done = kqi_hub("data", "compare", "vision", "--json", *words)
    assert done.returncode == 0, done.stderr
    [found] = json.loads(done.stdout)["tenants"]
    assert isinstance(found, dict)
    return found


def doctor() -> dict[str, Any]:
    checks = json.loads(kqi_hub("doctor", "--json").stdout)["checks"]
    [found] = [one for one in checks if one["name"] == "store and database"]
    assert isinstance(found, dict)
    return found


def test_what_was_deleted_without_the_store_is_gone_when_it_is_back(
    lab: DatasetLab,
) -> None:
    data_id = lab.data({"x": b"x"})
    stack = lab.notebooks.stack
    stack.hold("store")
    assert status(lab, "DELETE", f"data/{data_id}") == 204
    assert status(lab, "GET", f"data/{data_id}") == 404
    assert folder_of(data_id).exists()
    stack.release("store")
    wait_for(lambda: not folder_of(data_id).exists(), KEPT_S, "the data to go")


def test_an_upload_is_published_though_nobody_asks_again(lab: DatasetLab) -> None:
    content = os.urandom(70_000)
    about = {"files": 1, "bytes": len(content)}
    made = lab.call("POST", "data", tenant="vision", name="kept", **about)
    upload, data_id = made["upload"], made["data"]["id"]
    lab.send(upload, "a/x", content)
    stack = lab.notebooks.stack
    stack.hold("store")
    finished = f"uploads/{upload['key']}/finish"
    assert answered(lab, "POST", finished) == (503, "store-unavailable")
    assert status(lab, "GET", f"data/{data_id}") == 404
    stack.release("store")
    stack.wait_ready("store")
    wait_for(
        lambda: status(lab, "GET", f"data/{data_id}") == 200, KEPT_S, "it to be there"
    )
    assert (folder_of(data_id) / "a/x").read_bytes() == content
    assert lab.call("GET", f"uploads/{upload['key']}")["state"] == "done"
    # It is written when the whole round is over, and other data may be in it.
    stack.wait_for_line("worker", f"upload-published name={upload['key']}", KEPT_S)


def test_the_doctor_tells_of_lost_data(lab: DatasetLab) -> None:
    data_id = lab.data({"x": b"x"})
    lost = folder_of(data_id)
    assert compared()["missing"] == []
    assert doctor()["level"] == "ok"
    aside = lost.rename(STORE / "aside")
    try:
        assert compared()["missing"] == [data_id]
        found = doctor()
        assert found["level"] == "fail"
        assert f"lost the files of data {data_id}" in found["seen"]
    finally:
        aside.rename(lost)
    assert compared()["missing"] == []
    assert doctor()["level"] == "ok"


def test_what_is_younger_than_an_hour_is_no_stray(lab: DatasetLab) -> None:
    data_id = lab.data({"x": b"x"})
    young = folder_of(999_999)
    shutil.copytree(folder_of(data_id), young)
    try:
        assert compared("--remove")["strays"] == 0
        assert (young / "x").read_bytes() == b"x"
    finally:
        shutil.rmtree(young)
    assert (folder_of(data_id) / "x").read_bytes() == b"x"
