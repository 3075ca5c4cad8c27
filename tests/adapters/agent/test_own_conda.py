"""The agent's process with the person's own folder: what it lists, keeps and weighs."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from handlers.agent_models import Environment
from kqi_hub.agent.conda import CondaRefuses
from kqi_hub.agent.own_conda import OwnConda
from kqi_hub.agent.own_shelf import OwnShelf

RECORD: dict[str, Any] = {
    "name": "python", "version": "3.11.7", "build": "h1_0", "build_number": 0,
    "subdir": "linux-64", "fn": "python-3.11.7-h1_0.conda", "depends": [],
    "url": "file:///channel/linux-64/python-3.11.7-h1_0.conda", "md5": "0" * 32,
}  # fmt: skip


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """A folder with an environment made by hand and half of another one."""
    envs = tmp_path / "alice/.conda/envs"
    for name in ("mine", "half"):
        (envs / name / "conda-meta").mkdir(parents=True)
    (envs / "mine/bin").mkdir()
    (envs / "mine/conda-meta/python-3.11.7-h1_0.json").write_text(json.dumps(RECORD))
    return tmp_path / "alice"


@pytest.fixture
def conda(scratch: Path) -> OwnConda:
    return OwnConda(scratch, scratch.parent / "no-site")


def by_name(conda: OwnConda) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in conda.environments()}


def test_what_was_made_by_hand_is_listed_and_half_of_one_is_broken(
    conda: OwnConda,
) -> None:
    found = by_name(conda)
    assert set(found) == {"mine", "half"}
    assert found["half"]["state"] == "broken"
    assert found["half"]["why"]["text"]
    assert found["mine"]["packages"] == 1


def test_each_looks_as_documented(conda: OwnConda) -> None:
    conda.count("mine")
    for one in conda.environments():
        shown = Environment.model_validate(one)
        assert set(one) == set(type(shown).model_fields)


def test_without_a_site_nothing_is_offered_and_that_is_said(conda: OwnConda) -> None:
    with pytest.raises(CondaRefuses) as caught:
        conda.bases()
    assert caught.value.hint


def test_the_default_is_kept_and_the_size_counted(conda: OwnConda) -> None:
    conda.set_default("mine")
    conda.count("mine")
    found = by_name(conda)["mine"]
    assert found["is_default"]
    assert found["size"]["own_files"] >= 3


def test_an_export_holds_the_packages_and_what_cannot_be_is_refused(
    conda: OwnConda,
) -> None:
    assert "python=3.11.7" in conda.export("mine", "yml")
    assert RECORD["url"] in conda.export("mine", "explicit")
    with pytest.raises(CondaRefuses):
        conda.export("gone", "yml")


def test_examples_are_copied_and_none_is_overwritten(scratch: Path) -> None:
    shelf = OwnShelf(scratch)
    name = shelf.examples()[0]["name"]
    [first] = shelf.copy_examples([name])
    Path(first).write_text("mine now")
    [second] = shelf.copy_examples([name])
    assert first != second
    assert Path(first).read_text() == "mine now"
    with pytest.raises(CondaRefuses):
        shelf.copy_examples(["../x"])


def test_room_is_told(conda: OwnConda) -> None:
    assert conda.room()["free_bytes"] > 0


def test_fifty_environments_are_listed_within_a_second(
    conda: OwnConda, scratch: Path
) -> None:
    for number in range(50):
        meta = scratch / f".conda/envs/e{number}/conda-meta"
        meta.mkdir(parents=True)
        for package in range(120):
            (meta / f"package{package}-1.0-0.json").write_text(json.dumps(RECORD))
    began = time.monotonic()
    assert len(conda.environments()) == 52
    assert time.monotonic() - began < 3  # a fifth of that where nothing else runs


def test_the_agent_stays_small_and_needs_no_installer(scratch: Path) -> None:
    """It runs from the portal's environment, which has no rattler."""
    code = (
        "import sys, kqi_hub.agent.main; "
        "from kqi_hub.agent.own_conda import OwnConda; from pathlib import Path; "
        f"OwnConda(Path({str(scratch)!r}), Path('/none')).environments(); "
        "status = Path('/proc/self/status').read_text(); "
        "print('rattler' in sys.modules, status.split('VmHWM:')[1].split()[0])"
    )
    command = [sys.executable, "-c", code]
    root = Path(__file__).parents[3]
    ran = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=root, timeout=60
    )
    has_installer, peak_kb = ran.stdout.split()
    assert has_installer == "False"
    assert int(peak_kb) < 60 * 1024
