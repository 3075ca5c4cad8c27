"""Environments over HTTP: what is listed, kept, exported, and what is refused."""

import asyncio
import errno
import json
from typing import Any
from urllib.parse import quote

import pytest

from kqi_hub.agent import disk
from kqi_hub.agent.logins import Logins
from tests.adapters.agent.conftest import Lab


async def read(lab: Lab, path: str) -> Any:
    answer = await lab.get(path)
    assert answer.code == 200, answer.body
    return json.loads(answer.body)


async def test_the_list_has_room_and_rules(lab: Lab) -> None:
    found = await read(lab, "api/environments")
    assert [one["name"] for one in found["environments"]] == ["notebook", "手"]
    assert (found["run_on"], found["queue"], found["tasks"]) == ("job", "", [])
    assert found["room"]["free_files"] == 10**7


async def test_a_task_under_way_is_named_beside_its_environment(lab: Lab) -> None:
    order = {"operation": "verify", "name": "notebook"}
    task = json.loads((await lab.send("api/environments/tasks", order)).body)
    found = await read(lab, "api/environments")
    assert [one["task"] for one in found["environments"]] == [task["id"], None]
    assert [one["id"] for one in found["tasks"]] == [task["id"]]


async def test_bases_and_examples_are_listed(lab: Lab) -> None:
    assert (await read(lab, "api/environments/bases"))["bases"][0]["name"] == "notebook"
    assert (await read(lab, "api/examples"))["examples"][0]["name"] == "iris_ex.ipynb"


async def test_the_default_is_changed_only_to_what_is_there(lab: Lab) -> None:
    path = "api/environments/default"
    answer = await lab.send(path, {"name": "手"}, method="PUT")
    assert (answer.code, lab.conda.default) == (200, "手")
    answer = await lab.send(path, {"name": "gone"}, method="PUT")
    assert (answer.code, lab.conda.default) == (404, "手")


@pytest.mark.parametrize("form", ["yml", "explicit", "pip", "lock"])
async def test_an_export_is_a_file_to_keep(lab: Lab, form: str) -> None:
    name = quote("手")
    answer = await lab.get(f"api/environments/{name}/export?format={form}")
    assert (answer.code, answer.body.decode()) == (200, f"{form} of 手\n")
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="_.')
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("notebook/export?format=exe", 400),
        ("notebook/export?format=yml&format=pip", 400),
        ("gone/export", 404),
        ("..%2F..%2Fbob/export", 400),
        ("..%2Fexport", 404),
        ("%2e%2e/export", 400),
        ("%00/export", 400),
        ("-n/export", 400),
        ("a%0Ab/export", 400),
        ("%E2%80%AE/export", 400),
        ("%FF/export", 400),
        ("a" * 256 + "/export", 400),
    ],
)
async def test_odd_names_reach_nothing(lab: Lab, path: str, status: int) -> None:
    answer = await lab.get(f"api/environments/{path}")
    assert answer.code == status, answer.body


async def test_sizes_are_counted_beside_everything_and_once(lab: Lab) -> None:
    lab.conda.may_go_on.clear()
    counting = lab.agent.counting
    for _ in range(3):
        counting.begin(lab.conda.count, "notebook")
    await asyncio.sleep(0.1)
    assert lab.conda.counted == []
    assert (await lab.get("api/health")).code == 200
    lab.conda.may_go_on.set()
    answer = await lab.send("api/environments/sizes", {"name": "手"})
    assert answer.code == 202
    for _ in range(50):
        if lab.conda.counted == ["notebook", "手"]:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(lab.conda.counted)


async def test_examples_are_copied_by_name(lab: Lab) -> None:
    answer = await lab.send("api/examples", {"names": ["iris_ex.ipynb"] * 2})
    assert answer.code == 201
    assert lab.conda.copied == ["iris_ex.ipynb"]


@pytest.mark.parametrize(
    "body",
    [{}, {"names": []}, {"names": "iris_ex.ipynb"}, {"names": ["../x"]},
     {"names": [["iris_ex.ipynb"]]}, {"names": [None]}, {"names": ["a"] * 51},
     {"names": ["iris_ex.ipynb"], "to": "/tmp"}, [], "x", 1],
)  # fmt: skip
async def test_other_examples_are_not(lab: Lab, body: object) -> None:
    answer = await lab.send("api/examples", body)
    assert answer.code in {400, 404}
    assert lab.conda.copied == []


CHANGING = [
    ("POST", "api/environments/tasks", {"operation": "verify", "name": "notebook"}),
    ("POST", "api/environments/tasks/20260101T000000-aaaaaaaa/cancel", {}),
    ("POST", "api/environments/tasks/20260101T000000-aaaaaaaa/check", {}),
    ("PUT", "api/environments/default", {"name": "notebook"}),
    ("POST", "api/environments/sizes", {"name": "notebook"}),
    ("POST", "api/examples", {"names": ["iris_ex.ipynb"]}),
]


@pytest.mark.parametrize(("method", "path", "body"), CHANGING)
async def test_a_cookie_alone_changes_nothing(
    lab: Lab, method: str, path: str, body: object
) -> None:
    cookie = lab.agent.logins.keep("alices")
    assert isinstance(lab.agent.logins, Logins)
    headers = {"Cookie": f"kqi-agent={cookie}", "Sec-Fetch-Site": "same-origin"}
    answer = await lab.send(path, body, None, method=method, headers=headers)
    assert (answer.code, json.loads(answer.body)["error"]) == (403, "needs-token")
    assert (await lab.get("api/health", None, headers=headers)).code == 200
    assert lab.slurm.calls("sbatch") == []


@pytest.mark.parametrize("whose", ["bobs", "operators", "portals", "nobodys", None])
@pytest.mark.parametrize(("method", "path", "body"), CHANGING)
async def test_nobody_else_changes_anything(
    lab: Lab, method: str, path: str, body: object, whose: str | None
) -> None:
    answer = await lab.send(path, body, whose, method=method)
    assert answer.code in {401, 403}
    assert lab.slurm.calls("sbatch") == []


async def test_a_disk_that_hangs_is_said_and_holds_nothing_up(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "TIMEOUT_S", 0.3)
    lab.conda.may_go_on.clear()
    asked = asyncio.create_task(lab.get("api/environments"))
    assert (await lab.get("api/health")).code == 200
    answer = await asked
    assert (answer.code, json.loads(answer.body)["error"]) == (504, "disk-hangs")
    lab.conda.may_go_on.set()


@pytest.mark.parametrize(
    ("number", "status"),
    [(errno.EACCES, 403), (errno.ENOSPC, 507), (errno.EDQUOT, 507), (errno.EIO, 502)],
)
async def test_what_the_disk_says_is_told(lab: Lab, number: int, status: int) -> None:
    lab.conda.error = OSError(number, "said so")
    assert (await lab.get("api/environments")).code == status
