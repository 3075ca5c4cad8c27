"""The example notebooks: whole, without outputs, and copied over nothing."""

import ast
import json
from pathlib import Path

import pytest

from conda_bootstrap.errors import Refused, WrongUse
from conda_bootstrap.examples import copy, examples

NAMES = ["ipy_ex", "iris_ex", "tfboard_ex"]


def test_three_are_there_with_titles_for_people() -> None:
    found = examples()
    assert [one["name"] for one in found] == NAMES
    assert found[1]["title"] == "Iris: telling flowers apart"


@pytest.mark.parametrize("name", NAMES)
def test_notebook_is_python_without_outputs_or_addresses(
    tmp_path: Path, name: str
) -> None:
    [file] = copy([name], tmp_path)
    told = json.loads(file.read_text())
    assert (told["nbformat"], told["nbformat_minor"]) == (4, 5)
    # In a session that is the chosen environment's, elsewhere the active one's.
    assert told["metadata"]["kernelspec"]["name"] == "python3"
    for cell in told["cells"]:
        source = "".join(cell["source"])
        assert "http" not in source
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            assert cell["execution_count"] is None
            ast.parse(source)


def test_copies_lie_beside_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "iris_ex.ipynb").write_text("mine")
    (tmp_path / "iris_ex-1.ipynb").symlink_to(tmp_path / "nowhere")
    made = copy(["iris_ex", "ipy_ex", "iris_ex"], tmp_path)
    assert [one.name for one in made] == ["iris_ex-2.ipynb", "ipy_ex.ipynb"]
    assert (tmp_path / "iris_ex.ipynb").read_text() == "mine"
    assert not (tmp_path / "nowhere").exists()
    assert made[0].stat().st_mode & 0o077 == 0


def test_workspace_is_made_when_it_is_missing(tmp_path: Path) -> None:
    [made] = copy(["iris_ex"], tmp_path / "a/workspace")
    assert made.is_file()


@pytest.mark.parametrize("name", ["", "../iris_ex", "iris_ex.ipynb", "IRIS_EX", "\0"])
def test_other_names_are_refused_before_anything_is_copied(
    tmp_path: Path, name: str
) -> None:
    with pytest.raises(WrongUse, match="There is no example"):
        copy(["iris_ex", name], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_place_where_nothing_can_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "workspace").write_text("a file")
    with pytest.raises(Refused, match="Nothing can be written"):
        copy(["iris_ex"], tmp_path / "workspace")
