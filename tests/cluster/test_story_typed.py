"""docs/users/from-files-to-results.md, pasted into a shell of the cluster by a person.

Nothing is used but `kqi` and, for what is submitted by hand, `sbatch`.
"""

import asyncio
import json
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kqi_hub.devstack.layout import PYTHON
from kqi_hub.runas.client import SudoDoor
from tests.cluster.login_lab import login_lab
from tests.cluster.run_lab import runs_of
from tests.cluster.slurm_lab import DOOR
from tests.cluster.stack import Ran, Stack, run_as
from tests.cluster.test_run_story import repository

PAGE = Path(__file__).parents[2] / "docs/users/from-files-to-results.md"
REPOSITORY = "https://git.example.org/alice/learn.git"
NUMBERS = ("dataset", "run", "check", "again", "job")
ITEMS = 20
STORY_S = 540.0


@dataclass(frozen=True)
class Typing:
    """Alice at a shell, in a folder of hers, logged in."""

    folder: str

    def bash(self, script: str, limit_s: float = 60.0) -> Ran:
        begin = (
            f'set -euo pipefail\nPATH="{PYTHON.parent}:$PATH"\n'
            f'cd {self.folder}\nexport KQI_CONFIG_DIR="$PWD/own"\n'
        )
        ran = run_as("alice", "bash", input=begin + script, timeout=limit_s)
        assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-3000:]
        return ran

    def json(self, words: str) -> Any:
        return json.loads(self.bash(f"kqi {words} --json").stdout)


@pytest.fixture
def alice(stack: Stack) -> Iterator[Typing]:
    # Whatever still runs of hers afterwards is stopped.
    with runs_of(stack), login_lab(stack) as people:
        asyncio.run(SudoDoor(DOOR).run("make-scratch", "alice", {}))
        made = run_as("alice", "mktemp", "-d", "-p", "/scratch/alice", "typed.XXXXXX")
        assert made.returncode == 0, made.stderr
        typing = Typing(made.stdout.strip())
        said = f"{people.password['alice']}\n{people.fresh_device('alice').code()}\n"
        login = f"kqi login {people.url} --name alice <<'SAID'\n{said}SAID\n"
        typing.bash(login)
        yield typing
        typing.bash("kqi logout")
        run_as("alice", "rm", "-r", typing.folder)


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.M)


def pasted(study: str, url: str) -> str:
    """Return all that the page has to be typed, with a study and a site of the test."""
    text = "".join(blocks("sh"))
    for here, there in (("first-study", study), (REPOSITORY, url)):
        assert here in text
        text = text.replace(here, there)
    return text + "".join(f'echo "{name}: ${name}"\n' for name in NUMBERS)


def test_a_study_by_kqi_alone_and_its_training_again_by_sbatch(
    alice: Typing, tmp_path: Path
) -> None:
    study = f"study-{secrets.token_hex(4)}"
    programs = {text.split()[1]: text for text in blocks("python")}
    with repository(tmp_path, programs) as (url, commit):
        printed = alice.bash(pasted(study, url), STORY_S).stdout
    (tmp_path / "printed.txt").write_text(printed)
    number = {name: told(printed, name) for name in NUMBERS}
    assert "16 files to learn from" in printed
    check_lineage(printed, number, commit)
    run, check, again = (
        alice.json(f"{kind} get {number[name]}")
        for kind, name in (
            ("training", "run"),
            ("inference", "check"),
            ("training", "again"),
        )
    )
    assert {one["state"] for one in (run, check, again)} == {"completed"}
    assert (run["value"], check["value"]) == ("3.000", "0.000")
    check_by_hand(alice, run, again, int(number["job"]))
    assert "Both have written the same." in printed


def told(printed: str, name: str) -> str:
    found = re.search(rf"^{name}: ([1-9][0-9]*)$", printed, re.M)
    assert found is not None, printed
    return found[1]


def check_lineage(printed: str, number: dict[str, str], commit: str) -> None:
    """Look at the tree: training, dataset, commit, twenty files and what was made."""
    assert f"training {number['run']} " in printed
    tree = printed[printed.rindex(f"\ninference {number['check']} ") :]
    assert re.search(rf"^ +dataset {number['dataset']} .*locked", tree, re.M), tree
    assert re.search(rf"^ +training {number['run']} ", tree, re.M), tree
    assert re.search(rf"^ +commit .*{commit}", tree, re.M), tree
    assert len(set(re.findall(r"^ +(data \d+) ", tree, re.M))) == 2 * ITEMS, tree


def check_by_hand(alice: Typing, run: Any, again: Any, job: int) -> None:
    """Look whether what was submitted by hand is the same run again, and listed."""
    assert again["job_id"] == job != run["job_id"]
    assert again["value"] == run["value"]
    same = ("dataset", "source", "command")
    first, second = ({key: one["choices"][key] for key in same} for one in (run, again))
    assert first == second
    listed = alice.json(f"job list --text {job}")["jobs"]
    assert [(one["id"], one["kind"], one["thing"]) for one in listed] == [
        (job, "training", again["id"])
    ]
