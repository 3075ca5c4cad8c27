"""`kqi data` and `kqi dataset` as a person runs them, every process real."""

import asyncio
import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kqi_hub.runas.client import SudoDoor
from tests.cluster.agent_lab import AgentLab, agent_lab
from tests.cluster.slurm_lab import DOOR
from tests.cluster.stack import Stack, run_as, wait_until

KQI = ("/opt/kqi-hub/.venv/bin/python", "-m", "kqi_hub.cli.main")
MIB = 1024 * 1024
KEY = re.compile(r"\(upload ([a-z0-9]+)\)")
KILLED = -signal.SIGKILL


@dataclass
class Person:
    """Alice at a terminal: her token in the environment, a folder of her own."""

    lab: AgentLab
    token: str
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        return {
            "KQI_SERVER": self.lab.people.url,
            "KQI_TOKEN": self.token,
            "KQI_TENANT": "vision",
            "KQI_CONFIG_DIR": str(self.folder / "config"),
            "PYTHONPATH": "/opt/kqi-hub",
            "PATH": "/usr/bin:/bin",
            "LANG": "C.UTF-8",
        }

    def kqi(self, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        ran = subprocess.run(
            [*KQI, *words],
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert ran.returncode == code, ran.stderr
        return ran

    def json(self, *words: str) -> Any:
        return json.loads(self.kqi(*words, "--json").stdout)

    def begin(self, *words: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [*KQI, *words],
            env=self.environment,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


@pytest.fixture
def alice(stack: Stack, tmp_path: Path) -> Iterator[Person]:
    with agent_lab(stack, "alice") as lab:
        asyncio.run(SudoDoor(DOOR).run("make-scratch", "alice", {}))
        token = lab.people.log_in("alice").body["token"]
        yield Person(lab, token, tmp_path)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Return a folder of small files, an empty one, odd names and a long one."""
    some = random.Random(time.time())  # noqa: S311 - other content each time
    place = tmp_path / "images"
    (place / "deep/er").mkdir(parents=True)
    for number in range(300):
        (place / f"deep/{number}").write_bytes(some.randbytes(some.randrange(5000)))
    (place / "deep/er/empty").touch()
    (place / "猫 & ?#%25%e3 '\".png").write_bytes(some.randbytes(70))
    (place / " blanks ").write_bytes(some.randbytes(70))
    (place / "long").write_bytes(some.randbytes(7 * MIB))
    return place


def sums(folder: Path) -> dict[str, str]:
    """Return the hash of each file below a folder."""
    files = [one for one in folder.rglob("*") if one.is_file()]
    return {str(one.relative_to(folder)): sha256(one) for one in files}


def sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(MIB):
            digest.update(piece)
    return digest.hexdigest()


def listed(alice: Person, number: int) -> dict[str, str]:
    found = alice.json("data", "list-files", str(number))
    return {one["path"]: one["sha256"] for one in found}


def in_folder(folder: str, script: str) -> str:
    """Return what a line of shell prints, run as alice in a folder."""
    ran = run_as("alice", "bash", "-c", f"cd {folder} && {script}")
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_a_folder_goes_in_becomes_a_dataset_and_comes_back_the_same(
    alice: Person, images: Path
) -> None:
    made = alice.json("data", "create", "-n", "cli", "-f", "images/", "-t", "cli-test")
    number = str(made["id"])
    assert listed(alice, made["id"]) == sums(images)
    sets = alice.json(
        *("dataset", "create", "-n", "cli", "--data", f"training={number}")
    )
    folder = alice.kqi("dataset", "stage", str(sets["id"])).stdout.strip()
    script = (
        f"cd {folder}/training/{number} && find . -type f -exec sha256sum -z {{}} +"
    )
    seen = in_folder(f"{folder}/training/{number}", script).split("\0")
    staged = {line[68:]: line[:64] for line in seen if line}
    assert staged == sums(images)
    alice.kqi("data", "download-files", number, "-d", "one")
    assert sums(alice.folder / "one") == sums(images)
    alice.kqi("dataset", "download-files", str(sets["id"]), "-d", "two")
    assert sums(alice.folder / f"two/training/{number}") == sums(images)
    (alice.folder / "one/long").write_bytes(b"spoilt")
    (alice.folder / "one/deep/7").unlink()
    alice.kqi("data", "download-files", number, "-d", "one")
    assert sums(alice.folder / "one") == sums(images)
    alice.kqi("dataset", "delete", str(sets["id"]), "--yes")
    alice.kqi("data", "delete", number, "--yes")
    alice.kqi("data", "get", number, code=4)


def test_files_on_scratch_are_taken_without_travelling(alice: Person) -> None:
    shell = "rm -rf cli; mkdir -p cli/sub; echo one > 'cli/a %25 b'; : > cli/sub/empty"
    assert (
        run_as("alice", "bash", "-c", f"cd /scratch/alice && {shell}").returncode == 0
    )
    made = alice.json("data", "create", "-n", "scr", "--from-scratch", "cli")
    assert (made["data"]["origin"], made["data"]["files"]) == ("scratch", 2)
    one = hashlib.sha256(b"one\n").hexdigest()
    empty = hashlib.sha256(b"").hexdigest()
    assert listed(alice, made["data"]["id"]) == {
        "cli/a %25 b": one, "cli/sub/empty": empty
    }  # fmt: skip
    assert made["reflinked"] + made["copied"] == 2
    assert in_folder("/scratch/alice", "cat 'cli/a %25 b'") == "one\n"
    alice.kqi("data", "create", "-n", "x", "--from-scratch", "/etc", code=1)


@pytest.mark.parametrize("victims", [("store",), ("proxy",), ("portal", "store")])
def test_what_is_killed_meanwhile_costs_time_and_nothing_else(
    alice: Person, stack: Stack, images: Path, victims: tuple[str, ...]
) -> None:
    (images / "longer").write_bytes(os.urandom(150 * MIB))
    sending = alice.begin("data", "create", "-n", "killed", "-f", "images/", "--json")
    assert sending.stderr is not None
    assert KEY.search(sending.stderr.readline())  # it has begun
    for _ in range(3):
        time.sleep(random.uniform(0.3, 1.2))  # noqa: S311
        for victim in victims:
            stack.kill(victim)
        stack.wait_ready(*victims)
    out, err = sending.communicate(timeout=240)
    assert sending.returncode == 0, err
    assert listed(alice, json.loads(out)["id"]) == sums(images)


def test_a_client_that_is_killed_goes_on_by_the_key_of_its_upload(
    alice: Person, images: Path
) -> None:
    (images / "longer").write_bytes(os.urandom(200 * MIB))
    sending = alice.begin("data", "create", "-n", "killed", "-f", "images/")
    assert sending.stderr is not None
    key = KEY.search(sending.stderr.readline())
    assert key is not None
    time.sleep(random.uniform(0.2, 1.0))  # noqa: S311
    sending.kill()
    sending.communicate()
    assert sending.returncode == KILLED
    made = alice.json("data", "resume", key[1])
    assert listed(alice, made["id"]) == sums(images)
    assert key[1] not in {one["key"] for one in alice.json("data", "uploads")}


def test_the_agents_memory_stays_flat_while_much_is_fetched(
    alice: Person, images: Path
) -> None:
    (images / "longer").write_bytes(os.urandom(200 * MIB))
    number = alice.json("data", "create", "-n", "long", "-f", "images/")["id"]
    alice.kqi("data", "download-files", str(number), "-d", "back")
    assert sums(alice.folder / "back") == sums(images)
    health = alice.lab.health(alice.lab.token())
    assert health["memory_mb"] < 90
    shutil.rmtree(alice.folder / "back")
    wait_until(lambda: alice.lab.health(alice.lab.token())["memory_mb"] < 90, 5, str)
