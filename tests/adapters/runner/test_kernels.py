"""The kernels of a person's conda environments."""

import json
from pathlib import Path
from typing import Any

import pytest

from kqi_hub.runner.kernels import (
    conda_kernels,
    has_environment,
    kernel_of,
    publish,
)
from kqi_hub.session.probing import Notes

SPEC = {
    "argv": ["python", "-m", "ipykernel_launcher", "-f", "{connection_file}"],
    "display_name": "Python 3 (ipykernel)",
    "language": "python",
}


def environment(envs: Path, name: str, kernel: str = "python3", **spec: Any) -> Path:
    folder = envs / name
    place = folder / "share" / "jupyter" / "kernels" / kernel
    place.mkdir(parents=True)
    (place / "kernel.json").write_text(json.dumps(SPEC | spec))
    add_program(folder / "bin" / "python")
    return folder


def add_program(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("#!/bin/sh\n")
    file.chmod(0o755)


def test_environments_with_kernels_of_one_name_are_told_apart(tmp_path: Path) -> None:
    for name in ("notebook", "torch-2.5"):
        environment(tmp_path, name)
    found = conda_kernels(tmp_path)
    assert [one.name for one in found] == ["conda-notebook", "conda-torch-2.5"]
    assert found[0].spec["display_name"] == "Python 3 (ipykernel) (notebook)"
    assert found[0].spec["argv"][0] == f"{tmp_path}/notebook/bin/python"
    assert found[0].spec["env"]["PATH"] == f"{tmp_path}/notebook/bin:${{PATH}}"
    assert found[0].spec["env"]["CONDA_PREFIX"] == f"{tmp_path}/notebook"


def test_own_variables_and_programs_of_a_kernel_are_kept(tmp_path: Path) -> None:
    argv = ["/opt/R", "--slave"]
    environment(tmp_path, "r", "ir", argv=argv, env={"R_HOME": "/r"}, language="R")
    (found,) = conda_kernels(tmp_path)
    assert found.spec["argv"] == argv
    assert found.spec["env"]["R_HOME"] == "/r"
    assert not found.is_python


def test_python_kernel_of_the_chosen_environment_comes_first(tmp_path: Path) -> None:
    environment(tmp_path, "both", "ir", language="R")
    environment_of_python = tmp_path / "both/share/jupyter/kernels/python3"
    environment_of_python.mkdir()
    (environment_of_python / "kernel.json").write_text(json.dumps(SPEC))
    assert kernel_of("both", conda_kernels(tmp_path)) == "conda-both-python3"
    assert kernel_of("other", conda_kernels(tmp_path)) is None


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"argv": 3}', '{"argv": []}', "{}", "\0", "\ud800"],
)
def test_broken_kernel_is_left_out_and_harms_no_other(
    tmp_path: Path, text: str
) -> None:
    environment(tmp_path, "good")
    broken = environment(tmp_path, "broken") / "share/jupyter/kernels/python3"
    raw = text.encode("utf-8", "surrogatepass")
    (broken / "kernel.json").write_bytes(raw)
    assert [one.environment for one in conda_kernels(tmp_path)] == ["good"]


@pytest.mark.parametrize("name", ["über env", "A B", "日本", "a$b", "x" * 200])
def test_any_name_of_an_environment_becomes_one_that_jupyter_takes(
    tmp_path: Path, name: str
) -> None:
    environment(tmp_path, name)
    (found,) = conda_kernels(tmp_path)
    assert found.name.isascii()
    assert not set(found.name) - set("abcdefghijklmnopqrstuvwxyz0123456789.-_")


def test_no_environments_is_no_error(tmp_path: Path) -> None:
    assert conda_kernels(tmp_path / "none") == ()


def test_kernels_appear_and_go_with_their_environment(tmp_path: Path) -> None:
    envs, data = tmp_path / "envs", tmp_path / "data"
    folder = environment(envs, "notebook")
    publish(conda_kernels(envs), data)
    spec = json.loads((data / "kernels/conda-notebook/kernel.json").read_text())
    assert spec["metadata"]["kqi"]["prefix"] == str(folder)
    folder.rename(tmp_path / "away")
    publish(conda_kernels(envs), data)
    assert not list((data / "kernels").iterdir())


def test_kernels_that_a_person_installed_are_never_removed(tmp_path: Path) -> None:
    for name in ("mine", "conda-mine"):
        place = tmp_path / "kernels" / name
        place.mkdir(parents=True)
        (place / "kernel.json").write_text(json.dumps(SPEC))
    publish((), tmp_path)
    assert len(list((tmp_path / "kernels").iterdir())) == 2


@pytest.mark.parametrize("name", ["..", ".", "a/b", "", "/etc", "-x", "a\0b", "a\nb"])
def test_name_that_leaves_the_folder_is_no_environment(
    tmp_path: Path, name: str
) -> None:
    assert not has_environment(tmp_path, name)


def envs_of(tmp_path: Path) -> Path:
    return tmp_path / ".conda" / "envs"


def note(tmp_path: Path, name: str, why: str) -> None:
    Notes(tmp_path).note(envs_of(tmp_path) / name, why)


def test_environment_whose_program_is_gone_says_so_in_its_title(tmp_path: Path) -> None:
    folder = environment(envs_of(tmp_path), "torch")
    (folder / "bin/python").unlink()
    (found,) = conda_kernels(envs_of(tmp_path))
    assert "broken: repair it on the Environments page" in found.spec["display_name"]
    assert f"{folder}/bin/python" in found.why
    assert found.spec["metadata"]["kqi"]["broken"] == found.why


def test_kernel_that_pip_has_removed_is_on_offer_and_says_so(tmp_path: Path) -> None:
    folder = environment(envs_of(tmp_path), "torch")
    (before,) = conda_kernels(envs_of(tmp_path))
    meta = folder / "conda-meta"
    meta.mkdir()
    for stem in ("python-3.11.2-0", "ipykernel-6.29-0"):
        (meta / f"{stem}.json").write_text("{}")
    (folder / "share/jupyter/kernels/python3/kernel.json").unlink()
    (found,) = conda_kernels(envs_of(tmp_path))
    assert found.name == before.name
    assert "broken: repair it" in found.spec["display_name"]
    assert "ipykernel" in found.why


def test_what_was_found_out_is_in_the_title_until_the_packages_change(
    tmp_path: Path,
) -> None:
    folder = environment(envs_of(tmp_path), "torch")
    note(tmp_path, "torch", "no module named zmq")
    (found,) = conda_kernels(envs_of(tmp_path))
    assert "no module named zmq" in found.why
    (folder / "lib/python3.11/site-packages/zmq-27.dist-info").mkdir(parents=True)
    (found,) = conda_kernels(envs_of(tmp_path))
    assert (found.why, "broken" in found.spec["display_name"]) == ("", False)


def test_environment_that_starts_again_is_no_longer_called_broken(
    tmp_path: Path,
) -> None:
    environment(envs_of(tmp_path), "torch")
    note(tmp_path, "torch", "it was broken")
    note(tmp_path, "torch", "")
    (found,) = conda_kernels(envs_of(tmp_path))
    assert found.why == ""


@pytest.mark.parametrize("text", ["", "[]", "{", '{"why": 3}', '{"why": {}}', "\0"])
def test_note_that_makes_no_sense_is_passed_over(tmp_path: Path, text: str) -> None:
    environment(envs_of(tmp_path), "torch")
    file = tmp_path / ".conda/kqi/verified/torch.json"
    file.parent.mkdir(parents=True)
    file.write_text(text)
    (found,) = conda_kernels(envs_of(tmp_path))
    assert found.why == ""
