"""What is sent of files and folders here, and what is refused before anything is."""

import os
from pathlib import Path

import pytest

from kqi_hub.sdk.local_files import BadSource, count, top_name, walk


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("a/b/two.txt", "a/one.txt", "a/z/empty", "c.txt"):
        place = tmp_path / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("" if name.endswith("empty") else name)
    return tmp_path


def paths(*sources: str | os.PathLike[str]) -> list[str]:
    return [one.path for one in walk(sources)]


def test_a_folder_keeps_its_name_and_a_file_is_its_name(tree: Path) -> None:
    found = paths(tree / "a", tree / "c.txt")
    assert found == ["a/b/two.txt", "a/one.txt", "a/z/empty", "c.txt"]


@pytest.mark.parametrize("end", ["/", "/.", "/b/.."])
def test_with_a_slash_at_the_end_only_what_is_in_it_is_taken(
    tree: Path, end: str
) -> None:
    assert paths(f"{tree}/a{end}") == ["b/two.txt", "one.txt", "z/empty"]


def test_two_walks_are_in_the_same_order(tree: Path) -> None:
    assert list(walk([tree])) == list(walk([tree]))


def test_the_count_is_that_of_the_walk(tree: Path) -> None:
    found = count([tree / "a", tree / "c.txt"])
    assert (found.files, found.bytes) == (4, len("a/b/two.txta/one.txtc.txt"))


def test_links_are_followed_and_one_that_leads_back_is_refused(tree: Path) -> None:
    (tree / "a/link").symlink_to(tree / "c.txt")
    (tree / "a/other").symlink_to(tree / "a/b")
    assert "a/link" in paths(tree / "a")
    assert "a/other/two.txt" in paths(tree / "a")
    (tree / "a/b/back").symlink_to(tree / "a")
    with pytest.raises(BadSource, match="leads back"):
        count([tree / "a"])


def test_a_link_to_nothing_is_refused(tree: Path) -> None:
    (tree / "a/gone").symlink_to(tree / "nothing")
    with pytest.raises(BadSource, match="gone cannot be read: No such file"):
        count([tree / "a"])


def test_what_is_no_file_is_left_out_and_named(tree: Path) -> None:
    os.mkfifo(tree / "a/pipe")
    found = count([tree / "a"])
    assert found.skipped == (str(tree / "a/pipe"),)
    assert "a/pipe" not in paths(tree / "a")


@pytest.mark.parametrize("name", [b"a\nb", b"a\tb", b"\xff\xfe", b"a\x1bb"])
def test_a_name_that_nobody_could_write_is_refused(tree: Path, name: bytes) -> None:
    (tree / "a" / os.fsdecode(name)).touch()
    with pytest.raises(BadSource, match="control character") as told:
        count([tree / "a"])
    assert told.value.message.isascii()


@pytest.mark.parametrize("name", ["全角\u3000空白.png", "a b", "'<script>&", "🙂"])
def test_any_other_name_is_taken(tree: Path, name: str) -> None:
    place = tree / "odd"
    place.mkdir()
    (place / name).touch()
    assert [one.path for one in walk([place])] == [f"odd/{name}"]
    assert count([place]).files == 1


@pytest.mark.parametrize(
    ("sources", "why"),
    [
        (("a", "nothing"), "No such file"),
        (("a", "other/a"), "Two of the sources are called 'a'"),
        (("a/", "c.txt"), "taken alone"),
        (("empty",), "There is no file"),
    ],
)
def test_sources_that_make_no_sense_are_refused(
    tree: Path, sources: tuple[str, ...], why: str
) -> None:
    (tree / "other/a").mkdir(parents=True)
    (tree / "empty").mkdir()
    with pytest.raises(BadSource, match=why):
        count([f"{tree}/{one}" for one in sources])


@pytest.mark.parametrize(
    ("text", "name"),
    [("a", "a"), ("/x/a", "a"), ("a/", ""), (".", ""), ("..", ""), ("x/..", "")],
)
def test_the_name_of_a_source(text: str, name: str) -> None:
    assert top_name(text) == name
