"""A notebook's dataset in the workspace: the link, what is refused, what is left."""

from pathlib import Path

import pytest

from kqi_hub.runner.dataset import NoDataset, link_dataset, near_dataset, variables_of
from kqi_hub.runner.order import BadOrder, read_order
from tests.adapters.runner.order_file import order, silent, write_order


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    made = tmp_path / "store" / "x"
    made.mkdir(parents=True)
    (made / "meta.json").write_text("{}")
    return made


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    made = tmp_path / "workspace"
    made.mkdir()
    return made


def test_link_leads_to_the_dataset_and_follows_it(tree: Path, workspace: Path) -> None:
    said: list[str] = []
    link = workspace / "input-7"
    link_dataset((7, str(tree)), workspace, said.append)
    assert (link / "meta.json").is_file()
    assert "KQI_INPUT" in said[-1]
    other = tree.with_name("y")
    other.mkdir()
    link_dataset((7, str(other)), workspace, said.append)
    link_dataset((7, str(other)), workspace, said.append)
    assert link.readlink() == other
    assert list(workspace.iterdir()) == [link]


def test_own_file_of_that_name_is_left_alone(tree: Path, workspace: Path) -> None:
    said: list[str] = []
    mine = workspace / "input-7"
    mine.mkdir()
    (mine / "work").write_text("kept")
    link_dataset((7, str(tree)), workspace, said.append)
    assert (mine / "work").read_text() == "kept"
    assert "not linked" in said[0]
    assert str(tree) in said[1]


def test_links_to_what_is_gone_go_and_nothing_else(tree: Path, workspace: Path) -> None:
    for name in ("input-7", "input-x", "mine", "input-8"):
        (workspace / name).symlink_to(workspace / "gone")
    (workspace / "input-8").unlink()
    (workspace / "input-8").symlink_to(tree)
    link_dataset(None, workspace, silent)
    assert {one.name for one in workspace.iterdir()} == {"input-8", "input-x", "mine"}


@pytest.mark.parametrize("path", ["", "/no/such/tree", "/etc/passwd"])
def test_dataset_that_cannot_be_read_is_said(path: str, workspace: Path) -> None:
    with pytest.raises(NoDataset, match=path or "did not answer"):
        link_dataset((7, path), workspace, silent)
    assert list(workspace.iterdir()) == []


def test_workspace_that_takes_no_link_is_said(tree: Path, tmp_path: Path) -> None:
    said: list[str] = []
    link_dataset((7, str(tree)), tmp_path / "none", said.append)
    assert "cannot be made" in said[0]
    assert str(tree) in said[1]


def test_programs_are_told_where_it_is() -> None:
    assert variables_of((7, "/a")) == {"KQI_INPUT": "/a"}
    assert variables_of((7, "")) == {}
    assert variables_of(None) == {}


def test_order_has_the_dataset(tmp_path: Path) -> None:
    told = order(dataset={"id": 7, "path": "/a b/\u4f8b"})
    assert read_order(write_order(tmp_path, told)).dataset == (7, "/a b/\u4f8b")
    assert read_order(write_order(tmp_path, order(dataset=None))).dataset is None
    assert read_order(write_order(tmp_path, order())).dataset is None


@pytest.mark.parametrize(
    "dataset",
    [
        {"id": "x", "path": "/a"},
        {"id": 7},
        {"id": 7, "path": "a"},
        {"id": 7, "path": "../a"},
        {"id": 7, "path": "/a\0b"},
        ["x"],
    ],
)
def test_order_with_a_dataset_that_is_none_is_refused(
    tmp_path: Path, dataset: object
) -> None:
    with pytest.raises(BadOrder):
        read_order(write_order(tmp_path, order(dataset=dataset)))


def test_a_copy_is_read_on_the_node_and_goes_away(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local = tmp_path / "local"
    local.mkdir()
    monkeypatch.setenv("SLURM_TMPDIR", str(local))
    (tree / "a").mkdir()
    (tree / "a" / "b").write_bytes(b"x" * 1000)
    said: list[str] = []
    with near_dataset((7, str(tree)), True, said.append) as near:
        place = Path(variables_of(near.dataset)["KQI_INPUT"])
        assert place.parent == local
        assert (place / "a" / "b").read_bytes() == b"x" * 1000
        assert (place / "meta.json").read_text() == "{}"
    assert list(local.iterdir()) == []
    assert str(local) in said[0]


@pytest.mark.parametrize("dataset", [None, (7, ""), (7, "/store/x")])
def test_without_a_copy_a_dataset_is_read_where_it_lies(
    dataset: tuple[int, str] | None,
) -> None:
    with near_dataset(dataset, False, silent) as near:
        assert (near.dataset, near.why) == (dataset, "")


def test_a_copy_that_cannot_be_made_keeps_nothing_from_starting(
    tree: Path, tmp_path: Path
) -> None:
    said: list[str] = []
    gone = str(tmp_path / "gone")
    with near_dataset((7, gone), True, said.append) as near:
        assert near.dataset == (7, gone)
        assert "No such file" in near.why
    assert "cannot be copied" in said[-1]


@pytest.mark.parametrize(("word", "copies"), [("copy", True), ("link", False)])
def test_order_says_whether_the_dataset_is_copied(
    tmp_path: Path, word: str, copies: bool
) -> None:
    assert read_order(write_order(tmp_path, order(staging=word))).copies == copies
    assert not read_order(write_order(tmp_path, order())).copies
