"""Real packages that pip has broken: the notebook starts and says what is broken."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.conda import SITE, make_environment
from tests.cluster.notebook_lab import (
    PERSON,
    SCRATCH,
    NotebookLab,
    notebook_lab,
    wait_for,
)
from tests.cluster.stack import Stack, run_as

NAME = "d-damaged"
CONDA = SCRATCH / ".conda"
BROKEN = "raise SystemExit('pip has been here')"


@pytest.fixture
def broken() -> Iterator[Path]:
    """Make alice an environment, and break in it what Jupyter is made of."""
    environment = make_environment(PERSON, NAME, "--base", "minimal")
    [packages] = environment.glob("lib/python3*/site-packages")
    for package in ("jupyterhub", "tornado", "pip"):
        file = packages / package / "__init__.py"
        # Beside the old one: the file itself is also in the package cache.
        write = f'mkdir -p {file.parent}; rm -f {file}; echo "{BROKEN}" > {file}'
        assert run_as(PERSON, "/bin/sh", "-c", write).returncode == 0
    yield environment
    for place in (environment, *CONDA.glob(f"kqi/*/{NAME}*")):
        if place.is_dir():
            shutil.rmtree(place)
        else:
            place.unlink()


@pytest.fixture
def lab(stack: Stack) -> Iterator[NotebookLab]:
    with notebook_lab(stack) as made:
        yield made


def test_notebook_starts_and_the_kernel_list_says_what_is_broken(
    lab: NotebookLab, broken: Path
) -> None:
    session = lab.ready()
    assert [lab.status(session, page) for page in ("lab", "tree")] == [200, 200]
    server = f"user/{PERSON}/{session.server}/"

    def title() -> str:
        found = lab.person.get(f"{server}api/kernelspecs").json()["kernelspecs"]
        return str(found[f"conda-{NAME}"]["spec"]["display_name"])

    assert NAME in title()
    made = lab.person.post(f"{server}api/kernels", json={"name": f"conda-{NAME}"})
    assert made.status_code == 201, made.text
    wait_for(lambda: "broken: repair it" in title(), 30, title())
    log = SCRATCH / "log" / f"{lab.now(session).job_id}.log"
    assert "pip has been here" in log.read_text()
    assert (CONDA / "kqi/used" / NAME).is_file()
    where = ("--scratch", str(SCRATCH), "--site", str(SITE))
    argv = (sys.executable, "-I", "-m", "conda_bootstrap", *where)
    listed = run_as(PERSON, *argv, "list").stdout
    lines = [line for line in listed.splitlines() if NAME in line]
    assert any("broken" in line for line in lines), listed
    assert broken.is_dir()
