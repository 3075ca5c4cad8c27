"""Tasks: submitted once, followed, cancelled, lost and found."""

import asyncio
import json
import os
import time

import pytest

from kqi_hub.agent import submissions, submitting
from kqi_hub.agent.tasks import Tasks
from tests.adapters.agent.conftest import Lab
from tests.adapters.agent.task_calls import (
    CREATE,
    TASKS,
    one,
    order,
    place,
    runs_here,
    tell,
    until,
)
from tests.adapters.agent.test_logs import follow_path


async def test_a_double_click_is_one_task(lab: Lab) -> None:
    answers = await asyncio.gather(*(lab.send(TASKS, CREATE) for _ in range(5)))
    codes = sorted(answer.code for answer in answers)
    assert codes == [202, 409, 409, 409, 409]
    first = next(json.loads(a.body)["id"] for a in answers if a.code == 202)
    refused = [json.loads(a.body) for a in answers if a.code == 409]
    assert {(one["error"], one["task"]) for one in refused} == {("busy", first)}
    assert len(lab.slurm.calls("sbatch")) == 1


async def test_other_environments_do_not_wait_for_it(lab: Lab) -> None:
    await order(lab)
    assert (await order(lab, name="other"))["state"] == "waiting"


@pytest.mark.parametrize("end", ["done", "failed", "refused", "cancelled"])
async def test_after_its_end_the_next_may_come(lab: Lab, end: str) -> None:
    first = await order(lab)
    error = {"code": "disk-full", "message": "It is full.", "hint": "Free some space."}
    tell(lab, first["id"], state=end, error=error, ended_at="2026-11-21T09:00:00Z")
    found = await one(lab, first["id"])
    assert (found["state"], found["error"]) == (end, error)
    assert found["ended_at"] == 1795251600
    await order(lab)


async def test_its_progress_is_told(lab: Lab) -> None:
    found = await order(lab)
    tell(lab, found["id"], state="running", phase="download", done=12, total=120,
         bytes=4096, text="Downloading", host="node1", began_at=1.5)  # fmt: skip
    shown = await one(lab, found["id"])
    wanted = {
        "state": "running", "phase": "download", "done": 12, "total": 120,
        "bytes": 4096, "text": "Downloading", "host": "node1", "began_at": 1.5,
    }  # fmt: skip
    assert shown | wanted == shown


async def test_slurms_refusal_is_told_and_the_task_ends(lab: Lab) -> None:
    lab.slurm.does("refuses", "Invalid account or partition \x1b[31m")
    found = await order(lab, 400)
    assert found["error"] == "slurm-refuses"
    assert "Invalid account" in found["message"]
    assert "\x1b" not in found["message"]
    assert (await one(lab, found["task"]))["state"] == "refused"
    lab.slurm.does("well")
    await order(lab)


@pytest.mark.parametrize("mode", ["silent", "hangs", "lost"])
async def test_a_silent_slurm_is_asked_again_and_nothing_is_submitted_twice(
    lab: Lab, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submitting, "TIMEOUT_S", 1.0)
    monkeypatch.setattr(submissions, "PAUSES_S", (0.3, 0.3, 0.3))
    lab.slurm.does(mode)
    found = await order(lab)
    assert (found["state"], found["job_id"]) == ("asked", None)
    assert "submitted as soon as" in found["text"]
    assert (await order(lab, 409))["task"] == found["id"]
    lab.slurm.does("well")
    shown = await until(lab, found["id"], "waiting")
    assert (shown["job_id"], shown["text"]) == (101, "")
    jobs = (lab.slurm.folder / "jobs").read_text().splitlines()
    assert len(jobs) == 1


async def test_what_an_agent_could_not_submit_the_next_one_does(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submissions, "PAUSES_S", ())
    lab.slurm.does("silent")
    found = await order(lab)
    lab.slurm.does("well")
    await Tasks(lab.folder, lab.agent.tasks.rules, lab.agent.disk).take_up()
    assert (await until(lab, found["id"], "waiting"))["job_id"] == 101


async def test_a_waiting_job_is_cancelled_at_slurm(lab: Lab) -> None:
    found = await order(lab)
    answer = await lab.send(f"{TASKS}/{found['id']}/cancel", b"")
    assert json.loads(answer.body)["state"] == "cancelled"
    assert lab.slurm.calls("scancel") == ["101"]
    await lab.send(f"{TASKS}/{found['id']}/cancel", b"")
    assert lab.slurm.calls("scancel") == ["101"]
    # A job that starts all the same finds that there is nothing to do.
    told = json.loads((place(lab, found["id"]) / "state.json").read_text())
    assert told["state"] == "cancelled"
    await order(lab)


async def test_a_running_task_says_itself_how_it_was_cancelled(lab: Lab) -> None:
    found = await order(lab)
    tell(lab, found["id"], state="running", job_id="101")
    await lab.send(f"{TASKS}/{found['id']}/cancel", b"")
    assert (await one(lab, found["id"]))["state"] == "cancelled"
    tell(lab, found["id"], state="done")
    assert (await one(lab, found["id"]))["state"] == "done"


async def test_a_job_whose_number_was_lost_tells_it_itself(lab: Lab) -> None:
    lab.slurm.does("silent")
    found = await order(lab)
    tell(lab, found["id"], state="running", job_id="104")
    assert (await one(lab, found["id"]))["job_id"] == 104
    lab.slurm.does("well")
    await lab.send(f"{TASKS}/{found['id']}/cancel", b"")
    assert lab.slurm.calls("scancel") == ["104"]


async def test_a_cancel_that_slurm_does_not_hear_is_no_cancel(lab: Lab) -> None:
    found = await order(lab)
    lab.slurm.does("silent")
    answer = await lab.send(f"{TASKS}/{found['id']}/cancel", b"")
    assert (answer.code, json.loads(answer.body)["error"]) == (503, "slurm-silent")
    assert (await one(lab, found["id"]))["state"] == "waiting"


async def test_cancelled_before_it_was_submitted_it_never_is(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submissions, "PAUSES_S", (0.3,))
    lab.slurm.does("silent")
    found = await order(lab)
    await lab.send(f"{TASKS}/{found['id']}/cancel", b"")
    lab.slurm.does("well")
    await asyncio.sleep(0.6)
    assert (await one(lab, found["id"]))["state"] == "cancelled"
    assert (lab.slurm.folder / "jobs").read_text() == ""


@pytest.mark.parametrize(
    ("state", "expected"),
    [("PENDING", "waiting"), ("RUNNING", "waiting"), ("", "failed"),
     ("TIMEOUT", "failed"), ("NODE_FAIL", "failed"), ("CANCELLED", "failed")],
)  # fmt: skip
async def test_a_lost_job_is_noticed_when_slurm_says_so(
    lab: Lab, state: str, expected: str
) -> None:
    found = await order(lab)
    lab.slurm.says(state)
    answer = await lab.send(f"{TASKS}/{found['id']}/check", b"")
    shown = json.loads(answer.body)
    assert shown["state"] == expected
    assert (shown["error"] or {}).get("code") == (
        "lost" if expected == "failed" else None
    )
    if expected == "failed":
        await order(lab)
    else:
        assert (await order(lab, 409))["task"] == found["id"]


async def test_a_silent_slurm_loses_no_job(lab: Lab) -> None:
    found = await order(lab)
    lab.slurm.does("silent")
    answer = await lab.send(f"{TASKS}/{found['id']}/check", b"")
    assert answer.code == 503
    assert (await order(lab, 409))["task"] == found["id"]


async def test_nothing_runs_on_the_hub_unless_the_site_says_so(lab: Lab) -> None:
    found = await order(lab, 403, run_on="hub")
    assert found["error"] == "not-permitted"


async def test_on_the_hub_it_is_a_process_of_its_own(lab: Lab) -> None:
    runs_here(lab)
    found = await order(lab)
    assert found["state"] == "running"
    sent = json.loads((place(lab, found["id"]) / "sent.json").read_text())
    assert os.getsid(sent["pid"]) == sent["pid"]
    await asyncio.sleep(0.3)
    words = (lab.slurm.folder / "python.args").read_text().split()
    assert words == [
        "-I", "-m", "conda_bootstrap", "--scratch", str(lab.folder),
        "--site", f"{lab.folder.parent}/site", "task", str(place(lab, found["id"])),
    ]  # fmt: skip
    shown = await one(lab, found["id"])
    assert (shown["phase"], shown["done"], shown["total"]) == ("link", 3, 9)
    (lab.slurm.folder / "finish").touch()
    assert (await until(lab, found["id"], "done"))["text"] == "All done"


async def test_on_the_hub_it_is_cancelled_with_all_it_started(lab: Lab) -> None:
    runs_here(lab)
    found = await order(lab)
    await asyncio.sleep(0.3)
    await lab.send(f"{TASKS}/{found['id']}/cancel", b"")
    assert (await until(lab, found["id"], "cancelled"))["error"] is None
    answer = await lab.get(f"{TASKS}/{found['id']}/log?from=0")
    assert "told to end" in json.loads(answer.body)["text"]


async def test_a_process_that_dies_without_a_word_is_a_lost_one(lab: Lab) -> None:
    runs_here(lab)
    found = await order(lab)
    await asyncio.sleep(0.3)
    sent = json.loads((place(lab, found["id"]) / "sent.json").read_text())
    os.killpg(sent["pid"], 9)
    shown = await until(lab, found["id"], "failed")
    assert shown["error"]["code"] == "lost"
    await order(lab)
    (lab.slurm.folder / "finish").touch()


async def test_a_number_that_is_used_again_is_never_signalled(lab: Lab) -> None:
    runs_here(lab)
    found = await order(lab)
    path = place(lab, found["id"]) / "sent.json"
    sent = json.loads(path.read_text())
    path.write_text(json.dumps(sent | {"pid": os.getpid()}))
    answer = await lab.send(f"{TASKS}/{found['id']}/cancel", b"")
    assert json.loads(answer.body)["error"]["code"] == "lost"


async def test_log_and_state_are_followed_to_the_end(lab: Lab) -> None:
    runs_here(lab)
    found = await order(lab)
    path = f"{TASKS}/{found['id']}/log/follow?from=0"
    text, states = "", []
    async with follow_path(lab, path) as events:
        async for name, said in events:
            if name == "log":
                text += said["text"]
            if name == "state":
                states.append(said["state"])
            if text.startswith("begun"):
                (lab.slurm.folder / "finish").touch()
    assert text == "begun in /\nfinished\n"
    assert (states[0], states[-1]) == ("running", "done")
    assert lab.agent.use.streams == 0


async def test_following_an_ended_task_ends_at_once(lab: Lab) -> None:
    found = await order(lab)
    (place(lab, found["id"]) / "log").write_text("all\n")
    tell(lab, found["id"], state="done")
    began = time.monotonic()
    async with follow_path(lab, f"{TASKS}/{found['id']}/log/follow?from=0") as events:
        names = [name async for name, _ in events]
    assert names == ["log", "state"]
    assert time.monotonic() - began < 3


async def test_the_newest_fifty_are_listed(lab: Lab) -> None:
    folder = lab.folder / "kqi/environments"
    for number in range(60):
        (folder / f"20260101T0000{number:02}-aaaaaaaa").mkdir(parents=True)
    (folder / "something else").mkdir()
    found = json.loads((await lab.get(TASKS)).body)["tasks"]
    assert len(found) == 50
    assert found[0]["id"] == "20260101T000059-aaaaaaaa"


async def test_an_agent_that_was_told_nothing_says_so(lab: Lab) -> None:
    object.__setattr__(lab.agent, "tasks", Tasks(lab.folder, None, lab.agent.disk))
    object.__setattr__(lab.agent, "conda", None)
    object.__setattr__(lab.agent, "shelf", None)
    for path in ("api/environments", "api/examples", "api/environments/bases"):
        answer = await lab.get(path)
        assert (answer.code, json.loads(answer.body)["error"]) == (503, "not-set-up")
    await order(lab, 503)
