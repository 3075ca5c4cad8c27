"""Environments on the real cluster: by REST, by `kqi env` and in a browser."""

import json
import os
import pwd
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import expect

from tests.cluster.agent_lab import AgentLab, agent_lab
from tests.cluster.browser import assert_accessible, assert_fits, chromium
from tests.cluster.login_lab import API
from tests.cluster.stack import Stack, run_as, wait_until
from tests.cluster.test_neuron_walk import logged_in_kqi, named
from tests.cluster.walker import run_cell_in_lab, walker

TASKS = "api/environments/tasks"
NAME = "c3-small"
# A job, its Python, the packages and a kernel, on a busy machine.
DONE_S = 180.0
DONE_MS = 180_000
WHERE = {"queue": "jupyter", "tenant": "vision"}


@pytest.fixture
def lab(stack: Stack) -> Iterator[AgentLab]:
    """An agent of alice's; what the test made of environments is gone afterwards."""
    with agent_lab(stack, "alice") as lab:
        if lab.server():
            lab.stop()  # of somebody's before this test
        lab.start()
        forget("alice", NAME)
        yield lab
        forget("alice", NAME)


def forget(person: str, *names: str) -> None:
    """Remove environments with all that is kept about them."""
    conda = Path("/scratch") / person / ".conda"
    for name in names:
        for place in (conda / "envs" / name, *conda.glob(f"kqi/*/{name}*")):
            shutil.rmtree(place, ignore_errors=True)
            if place.is_file():
                place.unlink()


class Asker:
    """Alice's programs at her agent."""

    def __init__(self, lab: AgentLab) -> None:
        self.lab = lab
        self.token = lab.token()

    def get(self, path: str) -> Any:
        answer = self.lab.get(path, self.token)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: object = None) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx2.post(self.lab.url + path, headers=headers, json=body, timeout=40)

    def order(self, operation: str, **options: object) -> dict[str, Any]:
        body = {"operation": operation, "name": NAME, **WHERE, **options}
        answer = self.post(TASKS, body)
        assert answer.status_code == 202, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def task(self, task_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.get(f"{TASKS}/{task_id}")
        return found

    def until(self, task_id: str, *states: str) -> dict[str, Any]:
        wait_until(
            lambda: self.task(task_id)["state"] in states,
            DONE_S,
            lambda: (self.task(task_id), self.log(task_id)),
        )
        return self.task(task_id)

    def log(self, task_id: str) -> str:
        answer = self.lab.get(f"{TASKS}/{task_id}/log?from=0", self.token)
        return str(answer.json().get("text", "")) if answer.status_code == 200 else ""

    def environment(self, name: str = NAME) -> dict[str, Any] | None:
        found = self.get("api/environments")["environments"]
        return next((one for one in found if one["name"] == name), None)

    def follow(self, task_id: str) -> tuple[str, list[str]]:
        """Return all that a task says and the states it goes through."""
        text, states = "", list[str]()
        headers = {"Authorization": f"Bearer {self.token}"}
        url = f"{self.lab.url}{TASKS}/{task_id}/log/follow?from=0"
        with (
            httpx2.Client(timeout=DONE_S) as client,
            client.stream("GET", url, headers=headers) as answer,
        ):
            assert answer.status_code == 200
            name = ""
            for line in answer.iter_lines():
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                if line.startswith("data: "):
                    said = json.loads(line.removeprefix("data: "))
                    text += said["text"] if name == "log" else ""
                    states += [said["state"]] if name == "state" else []
        return text, states


def in_accounting(job_id: int) -> str:
    ran = run_as(
        "root", "sacct", "-X", "-n", "-P", f"-j{job_id}",
        "-oUser,Account,Partition,JobName,State",
    )  # fmt: skip
    return ran.stdout.strip()


def test_an_environment_is_made_followed_reset_and_deleted(lab: AgentLab) -> None:
    alice = Asker(lab)
    made = alice.order("create", base="minimal")
    again = alice.post(TASKS, {"operation": "verify", "name": NAME, **WHERE})
    assert (again.status_code, again.json()["task"]) == (409, made["id"])
    text, states = alice.follow(made["id"])
    assert states[-1] == "done", text
    assert "is ready" in text
    found = alice.environment()
    assert found is not None
    assert (found["state"], found["base"]) == ("ready", "minimal")
    assert [kernel["name"] for kernel in found["kernels"]] == ["python3"]
    place = Path(found["path"])
    assert place.owner() == "alice"
    python = run_as("alice", str(place / "bin/python"), "-c", "import sys; print(1)")
    assert python.stdout == "1\n", python.stderr
    key = made["id"].rpartition("-")[2]
    row = f"alice|vision|jupyter|env-{NAME}-{key}|COMPLETED"
    wait_until(lambda: in_accounting(made["job_id"]) == row, 60)

    reset = alice.order("reset", base="minimal")
    assert alice.until(reset["id"], "done", "failed")["state"] == "done"
    assert (alice.environment() or {})["state"] == "ready"
    gone = alice.order("delete")
    assert alice.until(gone["id"], "done", "failed")["state"] == "done"
    assert alice.environment() is None
    assert not place.exists()


def test_the_job_does_not_inherit_the_agents_limits(lab: AgentLab) -> None:
    alice = Asker(lab)
    agent = int(alice.get("api/health")["pid"])
    assert address_space(Path(f"/proc/{agent}")) == str(1024**3)
    task = alice.order("create", base="minimal")
    wait_until(lambda: bool(processes_of(task["id"])), 60)
    for process in processes_of(task["id"]):
        assert address_space(process) == "unlimited"
    alice.until(task["id"], "done", "failed")


def address_space(process: Path) -> str:
    """Return how much a process may map at most."""
    lines = (process / "limits").read_text().splitlines()
    [line] = [line for line in lines if line.startswith("Max address space")]
    return line.removeprefix("Max address space").split()[0]


def processes_of(task_id: str) -> list[Path]:
    """Return what works on a task, as root sees it."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            words = (place / "cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if task_id.encode() in words and b"conda_bootstrap" in words:
            found.append(place)
    return found


@contextmanager
def working_on_the_hub(stack: Stack) -> Iterator[None]:
    """Let the site do its work on environments on the hub's machine."""
    settings = Path("/etc/kqi/kqi.toml")
    before = settings.read_text()

    def write(text: str) -> None:
        settings.write_text(text)
        stack.kill("hub")
        stack.wait_ready("hub", "portal")

    write(before.replace("[environments]", '[environments]\nrun_on = "hub"'))
    try:
        yield
    finally:
        write(before)


def test_on_the_hub_it_is_a_process_with_room_that_outlives_the_agent(
    stack: Stack,
) -> None:
    with agent_lab(stack, "alice") as lab:
        if lab.server():
            lab.stop()
        forget("alice", NAME)
        with working_on_the_hub(stack):
            lab.start()
            alice = Asker(lab)
            task = alice.order("create", base="minimal")
            assert (task["run_on"], task["job_id"]) == ("hub", None)
            wait_until(lambda: bool(processes_of(task["id"])), 60)
            [process] = processes_of(task["id"])
            assert address_space(process) == str(8 * 1024**3)
            lab.stop()  # the agent, in the middle of it
            lab.start()
            alice = Asker(lab)
            assert alice.until(task["id"], "done", "failed")["state"] == "done"
            assert (alice.environment() or {})["state"] == "ready"
            lab.stop()
        forget("alice", NAME)


def test_a_task_killed_in_the_middle_leaves_nothing_and_may_be_ordered_again(
    lab: AgentLab,
) -> None:
    alice = Asker(lab)
    task = alice.order("create", base="notebook")
    wait_until(lambda: bool(processes_of(task["id"])), 60)
    time.sleep(1.0)
    for process in processes_of(task["id"]):
        os.kill(int(process.name), 9)
    wait_until(
        lambda: alice.post(f"{TASKS}/{task['id']}/check").json()["state"] != "running",
        60,
        lambda: alice.task(task["id"]),
    )
    ended = alice.task(task["id"])
    assert (ended["state"], ended["error"]["code"]) == ("failed", "lost")
    found = alice.environment()
    assert found is None or found["state"] == "making"
    second = alice.order("create", base="notebook")
    assert alice.until(second["id"], "done", "failed")["state"] == "done"
    assert (alice.environment() or {})["state"] == "ready"


@contextmanager
def queue_closed(name: str) -> Iterator[None]:
    """Let nothing start in a queue for a while."""

    def state(word: str) -> None:
        argv = ["scontrol", "update", f"PartitionName={name}", f"State={word}"]
        subprocess.run(argv, check=True, timeout=30)

    state("DOWN")
    try:
        yield
    finally:
        state("UP")


def test_a_waiting_task_says_why_and_is_cancelled(
    lab: AgentLab, stack: Stack, tmp_path: Path
) -> None:
    alice = Asker(lab)
    with queue_closed("jupyter"), logged_in_kqi(stack, tmp_path, "alice") as kqi:
        task = alice.order("create", base="minimal")
        assert task["state"] == "waiting"
        kqi("tenant", "use", "vision")
        token = next(tmp_path.rglob("token")).read_text().strip()
        url = f"{stack.status()['url']}{API}jobs?job_id={task['job_id']}"

        def why() -> dict[str, Any]:
            headers = {"Authorization": f"token {token}"}
            jobs = httpx2.get(url, headers=headers, timeout=20).json()["jobs"]
            return jobs[0] if jobs else {}

        wait_until(lambda: bool(why().get("text")), 60, why)
        assert why()["name"].startswith(f"env-{NAME}-")
        cancelled = alice.post(f"{TASKS}/{task['id']}/cancel").json()
        assert cancelled["state"] == "cancelled"
    wait_until(lambda: "CANCELLED" in in_accounting(task["job_id"]), 60)
    assert alice.environment() is None


def test_a_refusal_of_slurms_is_told(lab: AgentLab) -> None:
    alice = Asker(lab)
    order = {"operation": "verify", "name": NAME, "queue": "nowhere"}
    answer = alice.post(TASKS, order)
    assert (answer.status_code, answer.json()["error"]) == (400, "slurm-refuses")
    assert "partition" in answer.json()["message"]


def test_nobody_elses_token_lists_or_orders(lab: AgentLab) -> None:
    token = lab.people.log_in("bob").body["token"]
    assert lab.get("api/environments", token).status_code == 403
    headers = {"Authorization": f"Bearer {token}"}
    answer = httpx2.post(
        lab.url + TASKS, headers=headers, json={"operation": "verify", "name": "x"}
    )
    assert answer.status_code == 403


def test_kqi_env_makes_exports_imports_and_deletes(
    lab: AgentLab, stack: Stack, tmp_path: Path
) -> None:
    copy = f"{NAME}-copy"
    forget("alice", copy)
    with logged_in_kqi(stack, tmp_path, "alice") as kqi:
        kqi("tenant", "use", "vision")
        made = json.loads(kqi("env", "create", NAME, "--base", "minimal", "--json"))
        # Nobody said a queue: the one that is free of charge was taken.
        assert (made["state"], made["queue"]) == ("done", "jupyter")
        assert NAME in kqi("env", "list")
        text = kqi("env", "export", NAME, "--format", "explicit")
        assert "@EXPLICIT" in text
        imported = kqi("env", "import", copy, "-", "--json", text=text)
        assert json.loads(imported)["state"] == "done"
        kqi("env", "default", copy)
        found = json.loads(kqi("env", "list", "--json"))["environments"]
        by_name = {one["name"]: one for one in found}
        assert by_name[copy]["is_default"]
        assert by_name[copy]["packages"] == by_name[NAME]["packages"]
        assert "is ready" in kqi("env", "log", copy)
        assert json.loads(kqi("env", "verify", copy, "--json"))["state"] == "done"
        for name in (NAME, copy):
            kqi("env", "delete", name, "--yes")
        assert NAME not in kqi("env", "list")
    forget("alice", copy)


def test_the_first_environment_is_one_click(stack: Stack) -> None:
    forget("bob", "notebook")
    shutil.rmtree(Path("/scratch/bob/.conda"), ignore_errors=True)
    with chromium() as browser, walker(stack, browser, "bob") as bob:
        page = bob.page
        page.goto(f"{bob.portal}/environments")
        expect(page.locator("#env-none")).to_be_visible(timeout=60_000)
        page.get_by_role("button", name="Make your environment").click()
        panel = page.locator(".task")
        expect(panel.locator("[data-slot=mark]")).to_have_text("Done", timeout=DONE_MS)
        row = page.locator("#env-list tr[data-name=notebook]")
        expect(row).to_contain_text("Ready", timeout=30_000)
        panel.get_by_text("What it says").click()
        expect(panel.locator("code")).to_contain_text("is ready")
        bob.shot("environments-real")
        assert_accessible(page)
        assert_fits(page)
        page.goto(f"{bob.portal}/notebooks/new?queue=jupyter&tenant=nlp")
        expect(page.locator("select[name=environment]")).to_have_value("notebook")
        bob.fill_in_notebook(named("env"), "nlp", cpus="1", memory_gb="2")
        bob.start()
        # It opens by itself for whoever has pressed Start.
        page.wait_for_url("**/user/bob/nb-*/lab**", timeout=DONE_MS)
        cell = run_cell_in_lab(page, "import sys; print(sys.prefix)", "notebook")
        expect(cell).to_have_text("/scratch/bob/.conda/envs/notebook\n", timeout=60_000)
    uid = pwd.getpwnam("bob").pw_uid
    assert Path("/scratch/bob/.conda/envs/notebook/bin/python").stat().st_uid == uid
