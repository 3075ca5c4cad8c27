"""Results of runs in a workspace: the links, what is refused, what is left."""

from pathlib import Path

import pytest

from kqi_hub.runner.dataset import link_dataset
from kqi_hub.runner.order import BadOrder, read_order
from kqi_hub.runner.parents import link_parents, variables_of_parents
from tests.adapters.runner.order_file import order, silent, write_order


@pytest.fixture
def output(tmp_path: Path) -> Path:
    made = tmp_path / "kqi" / "training" / "12" / "output"
    made.mkdir(parents=True)
    (made / "model.pt").write_text("weights")
    return made


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    made = tmp_path / "workspace"
    made.mkdir()
    return made


def test_each_run_has_a_link_of_its_number(output: Path, workspace: Path) -> None:
    said: list[str] = []
    other = output.with_name("other")
    other.mkdir()
    parents = ((12, str(output)), (15, str(other)))
    assert list(link_parents(parents, workspace, said.append)) == []
    assert (workspace / "parent-12" / "model.pt").read_text() == "weights"
    assert (workspace / "parent-15").readlink() == other
    assert str(output) in said[0]
    # Once more changes nothing, and leaves nothing beside them.
    assert list(link_parents(parents, workspace, silent)) == []
    assert {one.name for one in workspace.iterdir()} == {"parent-12", "parent-15"}


def test_variable_leads_to_the_results_of_the_only_one(output: Path) -> None:
    place = str(output)
    assert variables_of_parents(((12, place),)) == {"KQI_PARENT": place}
    assert variables_of_parents(((12, place), (15, place))) == {}
    assert variables_of_parents(((12, ""),)) == {}
    assert variables_of_parents(()) == {}


def test_results_that_are_gone_are_told_and_the_others_linked(
    output: Path, workspace: Path
) -> None:
    gone = str(output.with_name("gone"))
    parents = ((9, ""), (10, gone), (12, str(output)))
    missing = dict(link_parents(parents, workspace, silent))
    assert missing[9] == "the run was deleted"
    assert missing[10].startswith(f"{gone}: ")
    assert [one.name for one in workspace.iterdir()] == ["parent-12"]


def test_own_file_of_that_name_is_left_alone(output: Path, workspace: Path) -> None:
    said: list[str] = []
    mine = workspace / "parent-12"
    mine.mkdir()
    (mine / "work").write_text("kept")
    assert list(link_parents(((12, str(output)),), workspace, said.append)) == []
    assert (mine / "work").read_text() == "kept"
    assert "not linked" in said[0]


def test_links_to_results_that_were_deleted_go(output: Path, workspace: Path) -> None:
    list(link_parents(((12, str(output)),), workspace, silent))
    (output / "model.pt").unlink()
    output.rmdir()
    (workspace / "parent-x").symlink_to(output)
    link_dataset(None, workspace, silent)
    assert [one.name for one in workspace.iterdir()] == ["parent-x"]


@pytest.mark.parametrize(
    "told", [[[12, "relative"]], [[12, "/a\0b"]], [["x", "/a"]], [[12]], [12], "12"]
)
def test_order_with_a_place_that_is_none_is_refused(
    tmp_path: Path, told: object
) -> None:
    with pytest.raises(BadOrder):
        read_order(write_order(tmp_path, order(parents=told)))


def test_order_tells_each_place(tmp_path: Path) -> None:
    read = read_order(write_order(tmp_path, order(parents=[[12, "/a"], [15, ""]])))
    assert read.parents == ((12, "/a"), (15, ""))
