"""Runs in container images: a real registry, real Slurm, what people see of it."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kqi_hub.devstack.layout import Folder
from tests.adapters.oci.fake_registry import file_entry, layer_of
from tests.adapters.runner.image_of_node import layer_of_programs
from tests.cluster.agent_lab import browser_of
from tests.cluster.login_lab import login_lab
from tests.cluster.registry_lab import RealRegistry, registries
from tests.cluster.run_lab import Now, RunsOfPerson, runs_of
from tests.cluster.stack import Stack, run_as, wait_until
from tests.cluster.test_preprocessings import Preprocessing

ENV = ("PATH=/usr/bin", "TOOL_HOME=/opt/tool")
TELL = 'IFS= read -r line < /etc/os-release; echo "$line" > $KQI_OUTPUT/value.txt; '
# The name of what it makes says where it was made.
MAKE = "IFS= read -r line < /etc/os-release; line=${line#NAME=}; "
MAKE += 'mkdir "$KQI_OUTPUT/$line"; '
MAKE += 'cat "$KQI_INPUT/$DATA_ID/in.txt" > "$KQI_OUTPUT/$line/out.txt"'
# Longer than the portal waits for a registry that accepts and never answers.
GIVEN_UP_S = 30.0
Both = tuple[RealRegistry, RealRegistry]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    stack = Stack(Folder(Path(os.environ["KQI_STACK"])))
    with registries(stack, tmp_path_factory.mktemp("registries")) as (lab, closed):
        yield lab, closed


@pytest.fixture
def alice(stack: Stack) -> Iterator[RunsOfPerson]:
    with runs_of(stack) as made:
        yield made


@pytest.fixture(scope="module")
def programs() -> bytes:
    return layer_of_programs()


def forget_images(runs: RunsOfPerson) -> None:
    """Let the person be one who has never run anything in an image."""
    ran = run_as(runs.name, "rm", "-rf", str(runs.scratch / "kqi" / "images"))
    assert ran.returncode == 0, ran.stderr


def completed(runs: RunsOfPerson, run: Now) -> Now:
    ended = runs.ended(run)
    assert ended["state"] == "completed", runs.told(run)
    return ended


def test_an_image_is_pinned_fetched_once_and_shown(
    alice: RunsOfPerson, both: Both, programs: bytes, stack: Stack
) -> None:
    lab, _ = both
    forget_images(alice)
    digest = lab.push("team/tool", "1.0", [programs], ENV)
    whole, before = f"{lab.host}/team/tool:1.0@{digest}", len(lab.fetched())
    asked = alice.ask(
        f"{TELL} cat /etc/os-release; id -un; env", image=f"{lab.host}/team/tool:1.0"
    )
    assert (asked["image"], asked["environment"]) == (whole, "")
    first = completed(alice, asked)
    assert (first["value"], first["image"]) == ("NAME=of-the-image", whole)
    log = alice.log(first)
    assert "is new here: fetching 1 layers" in log
    assert {"alice", "TOOL_HOME=/opt/tool", "PATH=/usr/bin"} <= set(log.splitlines())
    fetched = lab.fetched()
    assert len(fetched) == before + 2, "its layer and its configuration"
    with login_lab(stack) as people, browser_of(people, "alice") as browser:
        page = browser.get(
            f"services/portal/training/{first['id']}?tenant=vision",
            follow_redirects=True,
        )
    assert (page.status_code, whole in page.text) == (200, True)

    # The tag becomes another image: a copy of the run has the one that it had.
    moved = layer_of([file_entry("etc/os-release", b"NAME=moved\n")])
    assert lab.push("team/tool", "1.0", [programs, moved], ENV) != digest
    copy = alice.client.get(f"training/{first['id']}/copy").json()
    again = alice.client.post("training", json=copy | {"name": "the-same-again"})
    assert again.status_code == 201, again.text
    second = completed(alice, again.json())
    assert (second["value"], second["image"]) == ("NAME=of-the-image", whole)
    assert "is new here" not in alice.log(second)
    assert lab.fetched() == fetched, "the second run asks nobody"
    third = completed(alice, alice.ask(TELL, image=f"{lab.host}/team/tool:1.0"))
    assert third["value"] == "NAME=moved"


def test_a_private_image_is_fetched_with_the_persons_own_password(
    alice: RunsOfPerson, both: Both, programs: bytes
) -> None:
    _, closed = both
    assert closed.login
    forget_images(alice)
    closed.push("secret/tool", "2", [programs], ENV)
    image = f"{closed.host}/secret/tool:2"
    size = {"cpus": 1, "memory_mb": 512, "lifetime_s": 600, "queue": "cpu"}
    body = {**size, "name": "refused", "tenant": "vision", "command": ":"}
    refused = alice.client.post("training", json={**body, "image": image})
    assert refused.status_code == 503
    assert "store a password for it under Your account, Registries" in refused.text
    user, password = closed.login
    stored = alice.client.put(
        "me/credentials/closed", json={"user_name": user, "value": password}
    )
    assert stored.status_code == 200, stored.text
    try:
        run = completed(alice, alice.ask(f"{TELL} env", image=image))
    finally:
        alice.client.delete("me/credentials/closed")
    assert run["value"] == "NAME=of-the-image"
    told = str(alice.scratch / "kqi")
    ran = run_as("alice", "grep", "-rF", "--exclude-dir=images", password, told)
    assert (ran.returncode, ran.stdout, ran.stderr) == (1, "", "")
    assert password not in alice.log(run) + alice.script(run)


@pytest.mark.parametrize("fault", ["stop", "hang"])
def test_a_dead_registry_refuses_in_words_and_holds_up_nothing_else(
    alice: RunsOfPerson, both: Both, programs: bytes, stack: Stack, fault: str
) -> None:
    lab, _ = both
    digest = lab.push("team/kept", "1", [programs], ENV)
    kept = f"{lab.host}/team/kept@{digest}"
    completed(alice, alice.ask(TELL, image=kept))
    getattr(lab, fault)()
    try:
        began = time.monotonic()
        body = {"name": "late", "tenant": "vision", "queue": "cpu", "command": ":"}
        size = {"cpus": 1, "memory_mb": 512, "lifetime_s": 600}
        image = {"image": f"{lab.host}/team/kept:1"}
        refused = alice.client.post("training", json={**body, **size, **image})
        assert (refused.status_code, refused.json()["code"]) == (
            503,
            "registry-unavailable",
        )
        assert "does not answer" in refused.json()["detail"], refused.text
        assert time.monotonic() - began < GIVEN_UP_S
        with login_lab(stack) as people, browser_of(people, "alice") as browser:
            way = "services/portal/training/new?tenant=vision"
            browser.get(way, follow_redirects=True)
            began = time.monotonic()
            page = browser.get(way)
        assert (page.status_code, 'name="image"' in page.text) == (200, True)
        assert time.monotonic() - began < 5
        # What is kept on scratch is run all the same, by its digest.
        assert completed(alice, alice.ask(TELL, image=kept))["value"]
    finally:
        lab.stop()
        lab.start()


def test_the_printed_script_runs_in_the_image_by_bare_sbatch(
    alice: RunsOfPerson, both: Both, programs: bytes
) -> None:
    lab, _ = both
    forget_images(alice)
    lab.push("team/bare", "1", [programs], ENV)
    image = f"{lab.host}/team/bare:1"
    # Long enough for the worker to see a job that nobody has asked it for.
    run = alice.ask(f"sleep 20; {TELL}", image=image, is_prepared=True)
    sent = alice.sbatch(alice.script(run))
    assert sent.returncode == 0, sent.stderr
    assert completed(alice, run)["value"] == "NAME=of-the-image"

    # Once more, when the order with its credentials is long gone: a copy of it.
    sent = alice.sbatch(alice.script(run))
    assert sent.returncode == 0, sent.stderr
    job = int(sent.stdout.strip().split(";")[0])

    def copies() -> list[Now]:
        found = alice.client.get("training", params={"name": run["name"]})
        return [one for one in found.json()["runs"] if one["job_id"] == job]

    wait_until(lambda: bool(copies()), 60, lambda: run)
    copy, whole = completed(alice, copies()[0]), alice.now(run)["image"]
    assert (copy["value"], copy["image"]) == ("NAME=of-the-image", whole)


def test_a_preprocessing_is_one_array_in_an_image_that_is_fetched_once(
    alice: RunsOfPerson, both: Both, programs: bytes, stack: Stack
) -> None:
    lab, _ = both
    forget_images(alice)
    digest = lab.push("team/recipe", "1", [programs], ENV)
    whole, before = f"{lab.host}/team/recipe:1@{digest}", len(lab.fetched())
    base = f"http://127.0.0.1:{stack.ports['proxy']}/services/store/"
    work = Preprocessing(alice, base)
    data = [work.data(f"item {one}".encode(), f"item {one}") for one in range(4)]
    made = work.call(
        "POST", "preprocessing", tenant="vision", name="In an image", command=MAKE,
        image=f"{lab.host}/team/recipe:1",
    )  # fmt: skip
    number = int(made["id"])
    first = work.run(number, data[:3])["runs"]
    # The tag becomes another image: those that wait keep the one that they were given.
    other = layer_of([file_entry("etc/os-release", b"NAME=moved\n")])
    moved = lab.push("team/recipe", "1", [programs, other], ENV)
    ended = work.ended(number)
    assert {one["state"] for one in ended.values()} == {"completed"}, ended
    assert {one["image"] for one in ended.values()} == {whole}
    script = alice.client.get(f"preprocessing-runs/{first[0]}/script")
    assert (script.status_code, "--array" in script.text) == (200, True), script.text
    for run in first:
        [product] = work.products(run)
        assert product["name"] == "of-the-image"
    assert len(lab.fetched()) == before + 2, "its layer and its configuration, once"
    refused = alice.client.patch(f"preprocessing/{number}", json={"image": ""})
    assert refused.status_code == 409, refused.text
    [single] = work.run(number, data[3:])["runs"]
    last = work.ended(number)[single]
    assert (last["state"], last["image"].partition("@")[2]) == ("completed", moved)
    assert [one["name"] for one in work.products(single)] == ["moved"]


def test_what_real_registries_list_is_offered_to_who_may_see_it(
    alice: RunsOfPerson, both: Both, programs: bytes
) -> None:
    lab, closed = both
    lab.push("team/offered", "1.0", [programs], ENV)
    lab.push("team/offered", "2.0", [programs], ENV)
    closed.push("secret/offered", "1", [programs], ENV)

    def offered(path: str, **query: str) -> Now:
        answer = alice.client.get(f"images/{path}", params=query)
        assert answer.status_code == 200, answer.text
        found: Now = answer.json()
        return found

    prefixes = [one["prefix"] for one in offered("registries")["registries"]]
    assert {lab.host, closed.host} <= set(prefixes)
    name = f"{lab.host}/team/offered"
    assert offered("repositories", registry="lab", q="offered") == {
        "repositories": [name],
        "why": "",
    }
    assert sorted(offered("tags", image=name)["tags"]) == ["1.0", "2.0"]
    hidden = offered("repositories", registry="closed")
    assert hidden["repositories"] == []
    assert "does not list its images to you" in hidden["why"]
    secret = f"{closed.host}/secret/offered"
    assert "store a password" in offered("tags", image=secret)["why"]
    assert closed.login
    user, password = closed.login
    alice.client.put(
        "me/credentials/closed", json={"user_name": user, "value": password}
    )
    try:
        assert secret in offered("repositories", registry="closed")["repositories"]
        assert offered("tags", image=secret)["tags"] == ["1"]
    finally:
        alice.client.delete("me/credentials/closed")
    lab.stop()
    try:
        began = time.monotonic()
        gone = offered("tags", image=f"{lab.host}/team/never-asked-for")
        assert (gone["tags"], "does not answer" in gone["why"]) == ([], True)
        assert time.monotonic() - began < GIVEN_UP_S
    finally:
        lab.start()
