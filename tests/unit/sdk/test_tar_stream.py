"""A tar as it arrives: what is written, and what a hostile one does not reach."""

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from kqi_hub.sdk.errors import PortalError
from kqi_hub.sdk.tar_stream import unpack

Member = tuple[str, bytes, bytes]  # name, type, content or target


def packed(*members: Member) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.GNU_FORMAT) as made:
        for name, kind, content in members:
            info = tarfile.TarInfo(name)
            info.type, info.mode = kind, 0o4777
            if kind == tarfile.REGTYPE:
                info.size = len(content)
            else:
                info.linkname = content.decode()
            made.addfile(info, io.BytesIO(content))
    return raw.getvalue()


def pieces(raw: bytes, size: int = 700) -> Iterator[bytes]:
    for start in range(0, len(raw), size):
        yield raw[start : start + size]


def test_files_and_folders_are_written_and_counted(tmp_path: Path) -> None:
    heard: list[int] = []
    raw = packed(
        ("run", tarfile.DIRTYPE, b""),
        ("run/a", tarfile.REGTYPE, b"x" * 5000),
        ("run/deep/b", tarfile.REGTYPE, b""),
    )
    done = unpack(pieces(raw), tmp_path, heard.append)
    assert (done.files, done.bytes, done.skipped, sum(heard)) == (2, 5000, [], 5000)
    assert (tmp_path / "run/a").read_bytes() == b"x" * 5000
    assert (tmp_path / "run/a").stat().st_mode & 0o7777 == 0o777


@pytest.mark.parametrize(
    "name", ["../out", "a/../../out", "/etc/out", "a/../b", "..", "run/.."]
)
def test_a_member_that_leads_out_ends_it(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    raw = packed((name, tarfile.REGTYPE, b"x"))
    with pytest.raises(PortalError, match="lead out"):
        unpack(pieces(raw), folder, None)
    assert [one.name for one in tmp_path.iterdir()] == ["in"]


@pytest.mark.parametrize(
    "kind",
    [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE],
)
def test_links_and_devices_are_left_out(tmp_path: Path, kind: bytes) -> None:
    raw = packed(
        ("a", tarfile.REGTYPE, b"a"), ("odd", kind, b"a"), ("z", tarfile.REGTYPE, b"z")
    )
    done = unpack(pieces(raw), tmp_path, None)
    assert "odd" not in {one.name for one in tmp_path.iterdir()}
    assert done.skipped == ["odd"]


def test_links_that_lie_here_are_not_written_through(tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "in"
    outside.mkdir()
    folder.mkdir()
    (outside / "kept").write_text("kept")
    (folder / "file").symlink_to(outside / "kept")
    (folder / "way").symlink_to(outside)
    unpack(pieces(packed(("file", tarfile.REGTYPE, b"new"))), folder, None)
    assert (folder / "file").read_bytes() == b"new"
    with pytest.raises(PortalError, match="is a link here"):
        unpack(pieces(packed(("way/x", tarfile.REGTYPE, b"x"))), folder, None)
    assert [one.name for one in outside.iterdir()] == ["kept"]
    assert (outside / "kept").read_text() == "kept"


@pytest.mark.parametrize("cut", [300, 600, 2000])
def test_half_an_archive_is_no_success(tmp_path: Path, cut: int) -> None:
    raw = packed(("a", tarfile.REGTYPE, b"x" * 5000))
    with pytest.raises(PortalError, match="only in part"):
        unpack(pieces(raw[:cut]), tmp_path, None)
