"""The profile `slurm`: written once, renewed while it is ours, never over a change."""

import json
from pathlib import Path

import pytest

from conda_bootstrap.ipython_profile import Facts, install_profile

NAMES = {
    "kqi.json",
    "ipcluster_config.py",
    "ipcontroller_config.py",
    "ipengine_config.py",
    "ipython_config.py",
    "ipython_kernel_config.py",
}


def install(ipython: Path, logs: str = "/scratch/alice/log") -> tuple[set[str], str]:
    said: list[str] = []
    written = install_profile(ipython, Facts(Path(logs)), said.append)
    return {path.name for path in written}, "\n".join(said)


def test_first_time_writes_all_of_it_for_its_owner_alone(tmp_path: Path) -> None:
    ipython = tmp_path / "deep/ipython"
    assert install(ipython) == (NAMES, "")
    profile = ipython / "profile_slurm"
    assert {path.name for path in profile.iterdir()} == NAMES
    assert profile.stat().st_mode & 0o077 == 0
    assert json.loads((profile / "kqi.json").read_text())["logs"].endswith("alice/log")


def test_second_time_writes_nothing(tmp_path: Path) -> None:
    install(tmp_path)
    assert install(tmp_path) == (set(), "")


def test_facts_that_change_are_written_again(tmp_path: Path) -> None:
    install(tmp_path)
    assert install(tmp_path, "/scratch/bob/log") == ({"kqi.json"}, "")


def test_what_is_missing_comes_back(tmp_path: Path) -> None:
    install(tmp_path)
    (tmp_path / "profile_slurm/ipengine_config.py").unlink()
    assert install(tmp_path) == ({"ipengine_config.py"}, "")


def test_older_file_of_ours_is_renewed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = tmp_path / "older"
    older.mkdir()
    (older / "ipengine_config.py").write_text("c = get_config()\n")
    monkeypatch.setattr("conda_bootstrap.ipython_profile._SOURCE", older)
    install(tmp_path)
    monkeypatch.undo()
    names, said = install(tmp_path)
    assert "ipengine_config.py" in names
    assert said == ""


@pytest.mark.parametrize(
    "changed",
    [
        "",
        "c = get_config()  # mine\n",
        "# KQI Hub wrote this, as " + "0" * 64 + "\nmine\n",
        "\x00\ud7ff\n",
    ],
)
def test_changed_file_is_left_and_named(tmp_path: Path, changed: str) -> None:
    install(tmp_path)
    file = tmp_path / "profile_slurm/ipcluster_config.py"
    file.write_text(changed)
    names, said = install(tmp_path)
    assert names == set()
    assert str(file) in said
    assert file.read_text() == changed


def test_line_added_at_the_end_is_a_change(tmp_path: Path) -> None:
    install(tmp_path)
    file = tmp_path / "profile_slurm/ipcluster_config.py"
    with file.open("a") as stream:
        stream.write("c.Cluster.delay = 5\n")
    _, said = install(tmp_path)
    assert "changed by hand" in said
    assert file.read_text().endswith("delay = 5\n")


@pytest.mark.parametrize("kind", ["link", "loose link", "folder"])
def test_what_is_no_file_is_left(tmp_path: Path, kind: str) -> None:
    profile = tmp_path / "profile_slurm"
    profile.mkdir()
    file, other = profile / "ipengine_config.py", tmp_path / "other"
    if kind == "folder":
        file.mkdir()
    else:
        file.symlink_to(other)
        if kind == "link":
            other.write_text("of somebody\n")
    names, said = install(tmp_path)
    assert file.name not in names
    assert str(file) in said
    assert not other.exists() or other.read_text() == "of somebody\n"


def test_link_in_the_place_of_the_facts_is_replaced_and_not_followed(
    tmp_path: Path,
) -> None:
    profile, other = tmp_path / "profile_slurm", tmp_path / "other"
    profile.mkdir()
    other.write_text("of somebody\n")
    (profile / "kqi.json").symlink_to(other)
    install(tmp_path)
    assert other.read_text() == "of somebody\n"
    assert not (profile / "kqi.json").is_symlink()
