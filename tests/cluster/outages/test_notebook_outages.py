"""Running notebooks while parts are down: nothing lost, nothing doubled, all told."""

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from kqi_hub.devstack.layout import Folder
from tests.cluster.breaking import processes_of, small_disk, wait_saved
from tests.cluster.browser import chromium
from tests.cluster.login_lab import LOGIN
from tests.cluster.notebook_lab import output
from tests.cluster.notebook_person import Kernel, Person, person
from tests.cluster.portal_lab import RECOVERY_S, down
from tests.cluster.slurm_lab import only_inside
from tests.cluster.stack import Stack, wait_until

pytestmark = only_inside
# slurmctld is given up after 10 s; after 35 s without a look the worker is missed.
NOTICED_S = 60.0
STOPPED_S = 30.0
OUTAGE_S = 60.0
LOOK_AGAIN = "document.dispatchEvent(new CustomEvent('kqi:changed'))"


@dataclass(frozen=True)
class Work:
    """A notebook that runs, with a kernel that keeps a variable."""

    alice: Person
    number: int
    kernel: Kernel
    session: int

    def goes_on(self) -> None:
        """Fail unless Lab answers and the kernel remembers."""
        assert self.alice.lab(self.number) == 200
        assert self.kernel.run("print(kept)") == "of before"

    def is_told(self) -> None:
        """Fail unless the portal says that this same session runs."""
        told = self.alice.now(self.number)
        assert (told["status"], told["session"]["id"]) == ("running", self.session)

    def is_whole(self) -> None:
        """Fail unless everything is as before, and it never had another job."""
        self.goes_on()
        self.is_told()
        assert self.alice.jobs(self.number) == ["RUNNING"]
        had_one_job(self.alice, self.number)


def had_one_job(owner: Person, number: int) -> None:
    """Fail unless accounting comes to know one job of the notebook, and no more."""
    wait_until(lambda: owner.recorded(number) > 0, 60, lambda: "no job in accounting")
    assert owner.recorded(number) == 1


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    stack = Stack(Folder(Path(os.environ["KQI_STACK"])))
    yield stack
    stack.mend()


@pytest.fixture(autouse=True)
def mended(stack: Stack) -> Iterator[None]:
    yield
    stack.mend()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def alice(stack: Stack, browser: Browser) -> Iterator[Person]:
    with person(stack, browser, "alice") as alice:
        # Tests before this one may have left long pauses between looks at Slurm.
        wait_until(lambda: alice.picture()["trust"] == "fresh", RECOVERY_S)
        yield alice


@pytest.fixture(scope="module")
def work(alice: Person) -> Work:
    number = alice.running("vision")
    kernel = alice.kernel(number)
    assert kernel.run("kept = 'of before'") == ""
    return Work(alice, number, kernel, alice.now(number)["session"]["id"])


def wait_stale(alice: Person) -> None:
    """Return when the portal says that it has not seen Slurm for some time."""
    wait_until(lambda: alice.picture()["trust"] == "stale", NOTICED_S)
    assert alice.picture()["age_s"] > 0


def test_slurmctld_is_away_for_a_minute(work: Work, alice: Person) -> None:
    other, third = alice.running("vision"), alice.create("vision")
    wait_saved()
    began = time.monotonic()
    with down(["slurmctld"]):
        wait_stale(alice)
        assert alice.start(third).status_code == 202
        assert alice.stop(other).status_code == 202
        work.goes_on()
        for number, word in ((work.number, "Running"), (third, "Submitting")):
            text = alice.look(number, f"slurmctld-{word}")
            assert word in text
            assert "Slurm does not answer; it was last seen" in text
        assert "It is being stopped." in alice.look(other, "slurmctld-stopping")
        time.sleep(max(0.0, began + OUTAGE_S - time.monotonic()))
        work.goes_on()
        work.is_told()
        assert alice.now(other)["status"] == "stopping"
        assert alice.now(third)["status"] == "waiting"
    alice.wait_status(other, "stopped", RECOVERY_S)
    alice.wait_status(third, "running", RECOVERY_S)
    assert alice.jobs(third) == ["RUNNING"]
    work.is_whole()
    had_one_job(alice, third)
    had_one_job(alice, other)
    wait_until(lambda: alice.picture()["trust"] == "fresh", RECOVERY_S)


def test_worker_is_killed_and_away(work: Work, alice: Person) -> None:
    stopped, cancelled = alice.running("vision"), alice.running("vision")
    with down(["worker"]):
        new = alice.running("vision")
        alice.stop(stopped)
        alice.wait_status(stopped, "stopped", STOPPED_S)
        output("scancel", str(alice.now(cancelled)["session"]["job_id"]))
        wait_stale(alice)
        work.goes_on()
        work.is_told()
        text = alice.look(work.number, "worker")
        assert "Slurm was last looked at" in text
        assert alice.now(cancelled)["status"] == "running"  # and how old that is
    alice.wait_status(cancelled, "killed", STOPPED_S)
    work.is_whole()
    assert alice.jobs(new) == ["RUNNING"]
    for number in (new, stopped, cancelled):
        had_one_job(alice, number)


@pytest.mark.parametrize("name", ["slurmdbd", "mariadb", "slapd"])
def test_notebooks_start_go_on_and_stop_without(
    work: Work, alice: Person, name: str
) -> None:
    with down([name]):
        other = alice.running("vision")
        work.goes_on()
        work.is_told()
        assert "Running" in alice.look(work.number, name)
        alice.stop(other)
        alice.wait_status(other, "stopped", STOPPED_S)
    work.is_whole()
    had_one_job(alice, other)


def test_without_the_directory_a_login_says_that_it_is_not_the_password(
    stack: Stack, alice: Person
) -> None:
    password = stack.person("carol")["password"]
    said = {"name": "carol", "password": password, "code": "000000"}
    with down(["slapd"]):
        answer = alice.client.post(LOGIN, json=said)
    assert answer.status_code == 503
    assert "directory" in answer.text


def test_portal_is_killed_and_away(stack: Stack, work: Work, alice: Person) -> None:
    other = alice.create("vision")
    alice.look(work.number, "portal-before")
    with down(["portal"]):
        work.goes_on()
        assert alice.start(other).status_code == 503
        # The page looks by itself each half minute; this is what it does then.
        alice.page.evaluate(LOOK_AGAIN)
        expect(alice.page.get_by_text("The portal does not answer")).to_be_visible()
        alice.seen("portal-page-left-open")
        text = alice.look(work.number, "portal-page-asked-for")
        assert "Notebooks and jobs that run go on" in text
        work.goes_on()
    stack.wait_ready("portal")
    work.is_whole()
    assert (alice.now(other)["status"], alice.jobs(other)) == ("new", [])
    alice.start(other)
    alice.wait_status(other, "running")
    assert alice.jobs(other) == ["RUNNING"]


def test_hub_is_killed_and_away(stack: Stack, work: Work, alice: Person) -> None:
    other = alice.create("vision")
    alice.look(other, "hub-before")
    with down(["hub"]):
        work.goes_on()
        alice.page.get_by_role("button", name="Start").click()
        expect(alice.page.get_by_text("The hub does not answer").first).to_be_visible()
        with alice.page.expect_response(
            lambda one: one.ok and "/notebooks/" in one.url
        ):
            alice.page.evaluate(LOOK_AGAIN)
        assert "The portal does not answer" not in alice.seen("hub")
        assert alice.now(other)["status"] == "failed"
        work.is_told()
    stack.wait_ready("hub")
    work.is_whole()
    assert alice.jobs(other) == []
    alice.start(other)
    alice.wait_status(other, "running")
    assert alice.jobs(other) == ["RUNNING"]


@pytest.mark.parametrize("is_closed", [False, True], ids=["full", "read-only"])
def test_home_of_no_use_hinders_neither_login_nor_notebook(
    stack: Stack, browser: Browser, is_closed: bool
) -> None:
    with small_disk("/home/bob", "bob") as home:
        home.fill()
        if is_closed:
            home.close()
        with person(stack, browser, "bob") as bob:
            number = bob.running("nlp")
            assert bob.lab(number) == 200
            assert bob.kernel(number).run("print(6 * 7)") == "42"
            made = bob.client.post(bob.server(number, "api/terminals"), json={})
            assert made.status_code == 200
            assert "Running" in bob.look(number, f"home-{is_closed}")


def test_full_scratch_says_what_to_do_and_leaves_nothing(
    stack: Stack, browser: Browser
) -> None:
    with small_disk("/scratch/bob", "bob") as scratch:
        scratch.fill()
        with person(stack, browser, "bob") as bob:
            number = bob.create("nlp")
            bob.start(number)
            told = bob.wait_status(number, "failed", STOPPED_S)
            assert told["session"]["job_id"] is None
            assert told["session"]["detail"].startswith("The scratch folder of bob")
            text = bob.look(number, "scratch-full")
            assert "Delete files there that you no longer need" in text
            assert bob.jobs(number) == []
            scratch.make_room()
            bob.start(number)
            bob.wait_status(number, "running")
            assert bob.lab(number) == 200
            assert bob.jobs(number) == ["RUNNING"]


def test_node_is_killed(work: Work, alice: Person) -> None:
    number = alice.running("vision", queue="jupyter")
    before = alice.now(number)["session"]
    node = before["node"]
    with down([f"slurmd-{node}"]):
        for pid in processes_of(before["job_id"]):
            os.kill(pid, signal.SIGKILL)
        output("scontrol", "update", f"nodename={node}", "state=down", "reason=test")
        alice.wait_status(number, "node-failed", STOPPED_S)
        assert "The node that it ran on failed." in alice.look(number, "node")
        alice.start(number)
        again = alice.wait_status(number, "running")["session"]
        assert again["node"] != node
        assert sorted(alice.jobs(number)) == ["NODE_FAIL", "RUNNING"]
    output("scontrol", "update", f"nodename={node}", "state=resume")
    work.is_whole()


def test_server_that_is_killed_shows_the_end_of_its_log(alice: Person) -> None:
    number = alice.running("vision")
    job = alice.now(number)["session"]["job_id"]
    (server,) = processes_of(job, having="kqi_hub.session.server")
    os.kill(server, signal.SIGKILL)
    alice.wait_status(number, "failed", STOPPED_S)
    alice.look(number, "killed-begun")
    log = alice.page.locator(".log code")
    expect(log).to_contain_text("ended with exit code 137", timeout=30_000)
    expect(log).to_contain_text("the memory was full")
    assert "The end of its log" in alice.seen("killed")
