"""A scratch that is too small, and one that becomes full while packages arrive."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.conda_bootstrap.person import Person

pytestmark = [
    pytest.mark.slow,
    pytest.mark.alone,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk"),
]

# Its own mounts, which go with it: first a small disk, then the same made larger.
SCRIPT = """
set -u
scratch=$1 size=$2 larger=$3 answers=$4
shift 4
mount -t tmpfs -o "size=$size" none "$scratch" || exit 99
"$@" >"$answers/small.out" 2>"$answers/small.err" </dev/null
echo $? >"$answers/small.code"
find "$scratch" >"$answers/small.files"
mount -o "remount,size=$larger" "$scratch" || exit 99
"$@" >"$answers/large.out" 2>"$answers/large.err" </dev/null
echo $? >"$answers/large.code"
find "$scratch/.conda/kqi/stage" "$scratch/.conda/kqi/old" >"$answers/large.files"
"$scratch/.conda/envs/new/bin/python" -I -c 'import ipykernel' || exit 98
"""


def on_small_disk(person: Person, folder: Path, size: str) -> dict[str, Any]:
    argv = ["unshare", "-m", "--propagation", "private", "/bin/sh", "-c", SCRIPT, "sh"]
    argv += [str(person.places.scratch), size, "600m", str(folder)]
    argv += person.argv("--json", "create", "new", "--base", "minimal")
    subprocess.run(argv, env=person.variables(), check=True, timeout=300, cwd="/")
    answers: dict[str, Any] = {}
    for when in ("small", "large"):
        lines = (folder / f"{when}.out").read_text().splitlines()
        answers[when] = {
            "code": int((folder / f"{when}.code").read_text()),
            "last": json.loads(lines[-1]),
            "files": (folder / f"{when}.files").read_text().splitlines(),
        }
    return answers


def test_too_little_room_is_refused_before_anything_is_touched(
    person: Person, tmp_path: Path
) -> None:
    answers = on_small_disk(person, tmp_path, "60m")
    small = answers["small"]
    assert (small["code"], small["last"]["code"]) == (3, "no_room")
    assert "60." in small["last"]["message"] or "62." in small["last"]["message"]
    touched = [one for one in small["files"] if "/pkgs/" in one or "/envs/" in one]
    assert touched == []
    assert answers["large"]["code"] == 0


def test_disk_that_fills_up_leaves_nothing_half_and_the_rerun_completes(
    person: Person, tmp_path: Path
) -> None:
    wrong = tmp_path / "site"
    shutil.copytree(person.site / "bases", wrong / "bases", symlinks=True)
    shutil.copy(person.site / "site.json", wrong / "site.json")
    facts = wrong / "bases/minimal/current/base.json"
    # A site that tells too little of what its base takes.
    told = json.loads(facts.read_text()) | {"installed_bytes": 1, "installed_files": 1}
    facts.unlink()
    facts.write_text(json.dumps(told))
    answers = on_small_disk(Person(person.home, person.places, wrong), tmp_path, "60m")
    small = answers["small"]
    assert (small["code"], small["last"]["code"]) == (1, "disk_full")
    assert not [one for one in small["files"] if "/envs/" in one]
    large = answers["large"]
    assert large["code"] == 0
    assert large["last"]["result"]["kernels"]
    assert len(large["files"]) == 2  # the two folders, and nothing in them
