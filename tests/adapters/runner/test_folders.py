"""The folders of a notebook's job, and the variables that name them."""

import os
from pathlib import Path

from kqi_hub.runner.environment import children_environment, server_environment
from kqi_hub.runner.folders import make_folders
from tests.adapters.runner.order_file import silent


def test_folders_are_made_for_their_owner_alone(tmp_path: Path) -> None:
    said: list[str] = []
    folders = make_folders(tmp_path / "alice", said.append)
    assert folders.workspace == tmp_path / "alice" / "workspace"
    assert folders.workspace.stat().st_mode & 0o077 == 0
    assert not said


def test_folders_that_are_there_are_taken_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "workspace").mkdir(mode=0o755)
    (tmp_path / "workspace" / "mine").write_text("x")
    folders = make_folders(tmp_path, silent)
    assert (folders.workspace / "mine").read_text() == "x"


def test_scratch_that_takes_nothing_is_said_and_worked_around(tmp_path: Path) -> None:
    (tmp_path / "workspace").mkdir()
    (tmp_path / "kqi").write_text("a file where a folder should be")
    said: list[str] = []
    folders = make_folders(tmp_path, said.append)
    assert folders.workspace == tmp_path / "workspace"
    assert (folders.jupyter / "runtime").is_dir()
    assert not folders.jupyter.is_relative_to(tmp_path)
    assert "Nothing can be written on scratch" in said[0]


def test_workspace_that_cannot_be_made_is_said_loudly(tmp_path: Path) -> None:
    top = tmp_path / "file"
    top.write_text("")
    said: list[str] = []
    folders = make_folders(top, said.append)
    assert os.access(folders.workspace, os.W_OK)
    assert any("GOES AWAY" in line for line in said)


LOGIN = {
    "PATH": "/usr/bin",
    "HOME": "/home/alice",
    "PYTHONPATH": "/trap",
    "PYTHONHOME": "/trap",
    "CONDA_PREFIX": "/trap",
    "_CE_CONDA": "x",
    "VIRTUAL_ENV": "/trap",
    "JUPYTER_CONFIG_DIR": "/trap",
    "LD_PRELOAD": "/trap.so",
    "LD_LIBRARY_PATH": "/trap",
    "CUDA_VISIBLE_DEVICES": "0",
    "SLURM_JOB_ID": "7",
}


def test_server_sees_nothing_of_other_pythons(tmp_path: Path) -> None:
    folders = make_folders(tmp_path, silent)
    found = server_environment(LOGIN, {"JUPYTERHUB_USER": "alice"}, folders)
    assert not any("/trap" in value for value in found.values())
    assert found["SLURM_JOB_ID"] == "7"
    assert found["JUPYTER_CONFIG_DIR"].startswith(str(tmp_path))
    assert found["JUPYTERHUB_USER"] == "alice"


def test_kernels_get_what_the_person_chose_and_the_nodes_libraries(
    tmp_path: Path,
) -> None:
    folders = make_folders(tmp_path, silent)
    chosen = {"PYTHONPATH": "/mine", "CUDA_VISIBLE_DEVICES": "", "X": "a\nb ü"}
    found = children_environment(LOGIN, chosen, {}, folders)
    assert found["PYTHONPATH"] == "/mine"
    assert found["X"] == "a\nb ü"
    assert found["CUDA_VISIBLE_DEVICES"] == ""
    assert found["LD_LIBRARY_PATH"] == "/trap"
    assert "CONDA_PREFIX" not in found
    assert found["PATH"].startswith("/usr/bin:")


def test_person_can_replace_neither_the_hubs_variables_nor_jupyters_folders(
    tmp_path: Path,
) -> None:
    folders = make_folders(tmp_path, silent)
    chosen = {"JUPYTERHUB_API_TOKEN": "x", "JUPYTER_RUNTIME_DIR": "/x"}
    hub = {"JUPYTERHUB_API_TOKEN": "real"}
    found = children_environment(LOGIN, chosen, hub, folders)
    assert found["JUPYTERHUB_API_TOKEN"] == "real"
    assert found["JUPYTER_RUNTIME_DIR"].startswith(str(tmp_path))
