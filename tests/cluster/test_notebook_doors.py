"""Notebooks through every door with what is hostile: form, REST, link, tokens."""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Browser

from kqi_hub.domain.notebooks import Phase
from tests.cluster.browser import chromium
from tests.cluster.login_lab import API
from tests.cluster.notebook_lab import (
    PERSON,
    NotebookLab,
    notebook_lab,
    output,
    wait_for,
)
from tests.cluster.notebook_person import Person, person
from tests.cluster.stack import Stack

PWNED = Path("/var/tmp/kqi-door-exploit")
NASTY = f"a'b\"c $(id > {PWNED}) `id > {PWNED}` ; id > {PWNED} | é"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def alice(stack: Stack, browser: Browser) -> Iterator[Person]:
    PWNED.unlink(missing_ok=True)
    with person(stack, browser, PERSON) as alice:
        yield alice
    PWNED.unlink(missing_ok=True)


def jobs_of(name: str) -> set[str]:
    """Return every job of somebody's that slurmctld knows."""
    return set(output("squeue", "-h", "-t", "all", "-o", "%i", "-u", name).split())


def made_by(somebody: Person) -> set[int]:
    """Return the notebooks that somebody has."""
    found = somebody.ask("GET", "notebooks?per_page=100").json()["notebooks"]
    return {one["id"] for one in found}


def send_form(somebody: Person, fields: Mapping[str, Any]) -> int:
    """Send the form of a new notebook as the browser would, Start pressed."""
    page = somebody.page
    page.goto(f"{somebody.url}services/portal/notebooks/new?tenant=vision")
    proof = page.locator("form[method=post] [name=_xsrf]").first.input_value()
    sent = {"tenant": "vision", **fields, "then": "start", "_xsrf": proof}
    answer = page.request.post(
        f"{somebody.url}services/portal/notebooks/new",
        form={name: str(value) for name, value in sent.items()},
        max_redirects=0,
    )
    return answer.status


def send_rest(somebody: Person, fields: Mapping[str, Any]) -> int:
    """Make a notebook by the interface, and start it if it was made."""
    answer = somebody.ask("POST", "tenants/vision/notebooks", dict(fields))
    if answer.status_code == 201:
        somebody.start(answer.json()["id"])
    return answer.status_code


def open_link(somebody: Person, fields: Mapping[str, Any]) -> int:
    """Open a link that fills in the form."""
    answer = somebody.page.request.get(
        f"{somebody.url}services/portal/notebooks/new",
        params={name: str(value) for name, value in fields.items()},
    )
    return answer.status


DOORS = {"form": send_form, "rest": send_rest, "link": open_link}
PLAIN: dict[str, Any] = {"name": "door", "queue": "cpu", "cpus": "1"}
HOSTILE: list[dict[str, Any]] = [
    {"name": f"a\n#SBATCH --output={PWNED}"},
    {"name": f"$(id>{PWNED})"},
    {"queue": "cpu\n#SBATCH --uid=root"},
    {"queue": f"cpu' --wrap='id > {PWNED}"},
    {"queue": f'cpu" --prolog="{PWNED}'},
    {"queue": "cpu,a100"},
    {"preset": "none"},
    {"preset": f"free-4h\nprologue: id > {PWNED}"},
    {"gpu_type": "v100 --uid=root", "gpus": "1"},
    {"cpus": "1\n--uid=root"},
    {"environment": f"$(id > {PWNED})"},
    {"environment": "../../bob/.conda/envs/notebook"},
    {"prologue": f"id > {PWNED}"},
    {"exec_prefix": f"id > {PWNED};"},
    {"partition": "a100"},
    {"user_options": "{}"},
    {"profile": "agent"},
]


@pytest.mark.parametrize("door", DOORS)
def test_hostile_options_make_no_notebook_and_no_job(alice: Person, door: str) -> None:
    before = made_by(alice), jobs_of(PERSON)
    for hostile in HOSTILE:
        status = DOORS[door](alice, {**PLAIN, **hostile})
        # A link only fills in the form, which shows what is wrong before it is sent.
        assert status == 400 or (door == "link" and status == 200), hostile
    time.sleep(0.5)
    assert (made_by(alice), jobs_of(PERSON)) == before
    assert not PWNED.exists()


def test_a_link_that_is_right_in_everything_starts_nothing_either(
    alice: Person,
) -> None:
    before = made_by(alice), jobs_of(PERSON)
    for more in ({}, {"then": "start"}, {"then": "keep", "tenant": "vision"}):
        assert open_link(alice, {**PLAIN, **more}) == 200
    assert (made_by(alice), jobs_of(PERSON)) == before


def test_free_text_reaches_kernels_as_it_is_and_no_script(alice: Person) -> None:
    number = alice.running(
        "vision",
        memo=NASTY,
        variables=[{"name": "NASTY", "value": f"{NASTY}\nsecond line"}],
        command=f"printf %s \"$NASTY\" > '{alice.name}-said'",
    )
    kernel = alice.kernel(number)
    read = "import os; print(os.environ['NASTY'])"
    assert kernel.run(read) == f"{NASTY}\nsecond line"
    said = "print(open(f'{os.getcwd()}/alice-said').read())"
    assert kernel.run(said) == f"{NASTY}\nsecond line"
    job = str(alice.now(number)["session"]["job_id"])
    for told in (
        output("scontrol", "write", "batch_script", job, "-"),
        output("scontrol", "-o", "show", "job", job),
    ):
        assert job in told or "runner.notebook" in told
        assert "second line" not in told
        assert str(PWNED) not in told
    assert not PWNED.exists()


def test_with_a_preset_queue_and_size_are_the_operators_at_slurm(
    alice: Person,
) -> None:
    number = alice.running(
        "vision", preset="free-4h", queue="a100", cpus=60, gpus=4, lifetime_s=7200
    )
    job = str(alice.now(number)["session"]["job_id"])
    told = output("squeue", "-h", "-j", job, "-o", "%P %C %m %l")
    assert told.split() == ["jupyter", "2", "8G", "4:00:00"]


@pytest.fixture
def lab(stack: Stack) -> Iterator[NotebookLab]:
    with notebook_lab(stack) as made:
        yield made


def test_another_users_server_does_nothing_to_mine(
    lab: NotebookLab, stack: Stack, browser: Browser
) -> None:
    with person(stack, browser, "bob") as bob:
        number = bob.running("nlp")
        ask = "import os; print(os.environ['JUPYTERHUB_API_TOKEN'])"
        token = bob.kernel(number).run(ask)
        mine, starting = lab.ready(), lab.ask()
        lab.start(starting)
        headers = {"Authorization": f"token {token}"}
        with httpx2.Client(base_url=lab.url, headers=headers, timeout=30) as server:
            assert server.get("hub/api/user").json()["name"] == "bob"
            told = server.post("hub/api/batchspawner", json={"port": 40_000})
            assert told.status_code == 409  # bob's own server has told its port
            for method, path in (
                ("GET", f"user/{PERSON}/{mine.server}/api/contents"),
                ("POST", f"user/{PERSON}/{mine.server}/api/shutdown"),
                ("POST", lab.api(starting)),
                ("DELETE", lab.api(mine)),
                ("GET", f"hub/api/users/{PERSON}"),
                ("GET", f"{API}notebooks"),
                ("POST", f"{API}notebooks/{mine.notebook_id}/stop"),
            ):
                refused = server.request(method, path)
                assert refused.status_code in {401, 403, 404}, (path, refused.text)
        ready = lab.wait_phase(starting, Phase.READY)
        assert ready.port != 40_000
        assert lab.now(mine).stopping is None
        assert lab.status(mine) == 200


def test_a_port_told_after_the_end_is_nobodys(lab: NotebookLab) -> None:
    session = lab.ready()
    with lab.server_client(session) as late:
        lab.stop(session)
        lab.wait_ended(session)
        wait_for(lambda: lab.status(session) != 200, 10, "its route stayed")
        for body in ({"port": 40_000}, {"port": session.port}):
            answer = late.post("hub/api/batchspawner", json=body)
            assert answer.status_code == 403
        ended = late.post("hub/api/kqi/session", json={"ended": {"exit_code": 0}})
        assert ended.status_code == 403
    after = lab.now(session)
    assert (after.port, after.is_live) == (session.port, False)
