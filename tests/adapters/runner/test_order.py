"""The order of a notebook's job."""

import os
from pathlib import Path
from typing import Any

import pytest

from kqi_hub.runner.order import BadOrder, read_order
from tests.adapters.runner.order_file import order, write_order


def test_order_is_read_whole(tmp_path: Path) -> None:
    told = order(
        git={"user": "u", "password": "p"},
        repository={"url": "https://h/r.git", "ref": "v1"},
        variables={"A": "b c\n'\"$"},
        command="make",
        environment="env",
        ui="tree",
        lifetime_s=None,
    )
    found = read_order(write_order(tmp_path, told))
    assert found.folder == tmp_path
    assert (found.repository, found.git) == (("https://h/r.git", "v1"), ("u", "p"))
    assert (found.ui, found.lifetime_s, found.command) == ("tree", None, "make")
    assert found.variables == {"A": "b c\n'\"$"}


def test_nothing_secret_is_in_what_an_order_prints(tmp_path: Path) -> None:
    told = order(git={"user": "u", "password": "hush"}, variables={"A": "hush"})
    shown = repr(read_order(write_order(tmp_path, told)))
    assert "hush" not in shown
    assert "the-token" not in shown


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o660, 0o604])
def test_order_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(BadOrder, match="others may read it"):
        read_order(write_order(tmp_path, order(), mode))


def test_order_behind_a_link_is_refused(tmp_path: Path) -> None:
    real = write_order(tmp_path, order())
    link = real.with_name("link")
    link.symlink_to(real)
    with pytest.raises(BadOrder):
        read_order(link)


def test_pipe_in_place_of_an_order_is_refused_at_once(tmp_path: Path) -> None:
    pipe = tmp_path / "a" / "b" / "pipe"
    pipe.parent.mkdir(parents=True)
    os.mkfifo(pipe, 0o600)
    with pytest.raises(BadOrder, match="not a file of your own"):
        read_order(pipe)


def test_order_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadOrder, match="cannot be read"):
        read_order(tmp_path / "a" / "b" / "none")


def without(part: str) -> dict[str, Any]:
    told = order()
    del told["notebook"][part]
    return told


@pytest.mark.parametrize(
    "told",
    [
        "",
        "{",
        "[]",
        "null",
        {"version": 2, "hub": {}, "notebook": {}},
        {"version": 1},
        order() | {"hub": []},
        order() | {"hub": {"A=B": "c"}},
        order() | {"hub": {"A": "b\0c"}},
        order() | {"git": ["u", "p"]},
        without("id"),
        without("page"),
        order(lifetime_s="long"),
        order(variables={"": "x"}),
        order(repository={"ref": "no-url"}),
    ],
)
def test_order_that_is_not_as_it_should_be_is_refused_in_words(
    tmp_path: Path, told: object
) -> None:
    with pytest.raises(BadOrder, match=r"not as it should be|cannot be read"):
        read_order(write_order(tmp_path, told))
