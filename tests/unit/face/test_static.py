"""Static files as one tree, whose address changes when any of them does."""

import gzip
from pathlib import Path

import pytest

from kqi_hub.face.static import read_tree


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "css").mkdir()
    (tmp_path / "css/a.css").write_text("a {}\n" * 100)
    (tmp_path / "mark.svg").write_text("<svg/>")
    (tmp_path / "photo.png").write_bytes(b"\x89PNG")
    return tmp_path


def test_files_know_their_types_and_text_is_compressed_once(folder: Path) -> None:
    files = read_tree(folder).files
    assert {name: file.type for name, file in files.items()} == {
        "css/a.css": "text/css",
        "mark.svg": "image/svg+xml",
        "photo.png": "image/png",
    }
    style = files["css/a.css"]
    assert gzip.decompress(style.compressed or b"") == style.plain
    assert files["photo.png"].compressed is None


def test_the_same_files_have_the_same_address(folder: Path) -> None:
    assert read_tree(folder).digest == read_tree(folder).digest


def test_a_change_of_any_file_changes_every_address(folder: Path) -> None:
    before = read_tree(folder)
    (folder / "mark.svg").write_text("<svg></svg>")
    after = read_tree(folder)
    assert before.url("/p/", "css/a.css") != after.url("/p/", "css/a.css")


def test_moving_bytes_between_files_changes_the_address(tmp_path: Path) -> None:
    for name, texts in {"one": ("ab", "c"), "two": ("a", "bc")}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "x").write_text(texts[0])
        (tmp_path / name / "y").write_text(texts[1])
    assert read_tree(tmp_path / "one").digest != read_tree(tmp_path / "two").digest


def test_a_file_that_is_not_there_is_noticed_at_once(folder: Path) -> None:
    with pytest.raises(KeyError, match=r"no static file b\.css"):
        read_tree(folder).url("/p/", "b.css")
