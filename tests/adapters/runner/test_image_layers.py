"""Layers over one another: what they add and hide; whatever they say, none gets out."""

import contextlib
import gzip
import stat
import tarfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from kqi_hub.oci.errors import BadImage
from kqi_hub.runner.images.layers import Unpacked, lay
from kqi_hub.runner.images.tree import Tree
from tests.adapters.oci.fake_registry import entry, file_entry, layer_of

Entry = tuple[tarfile.TarInfo, bytes]
DIR, LINK, HARD = tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE


def laid(tmp_path: Path, *layers: Sequence[Entry]) -> Path:
    """Unpack layers, beside a file that none of them may reach."""
    outside = tmp_path / "outside"
    outside.mkdir(exist_ok=True)
    (outside / "kept").write_text("kept")
    root = tmp_path / "image" / "root"
    root.mkdir(parents=True, exist_ok=True)
    for layer in layers:
        file = tmp_path / "layer"
        file.write_bytes(layer_of(layer))
        lay(file, Tree(root), Unpacked())
    return root


def names(root: Path) -> set[str]:
    return {str(one.relative_to(root)) for one in root.rglob("*")}


def test_later_layers_replace_and_hide_what_earlier_ones_have(tmp_path: Path) -> None:
    root = laid(
        tmp_path,
        [
            entry("etc", DIR),
            file_entry("etc/a", b"old"),
            file_entry("etc/b", b"gone"),
            entry("opt", DIR),
            file_entry("opt/x"),
            entry("opt/deep", DIR),
            file_entry("opt/deep/y"),
            file_entry("turns", b"file"),
        ],
        [
            file_entry("./etc/a", b"new"),
            file_entry("etc/.wh.b"),
            entry("opt", DIR),
            entry("opt/deep", DIR),
            file_entry("opt/deep/own", b"stays"),
            file_entry("opt/.wh..wh..opq"),
            entry("turns", DIR),
        ],
    )
    assert (root / "etc/a").read_text() == "new"
    assert (root / "turns").is_dir()
    assert names(root) == {"etc", "etc/a", "opt", "opt/deep", "opt/deep/own", "turns"}


def test_what_a_layer_itself_brings_is_not_hidden_by_it(tmp_path: Path) -> None:
    root = laid(
        tmp_path,
        [file_entry("a/low"), file_entry("a/both", b"low")],
        [file_entry("a/both", b"high"), file_entry("a/.wh.both")],
        [file_entry(".wh.a"), file_entry("a/new", b"new")],
    )
    assert names(root) == {"a", "a/new"}


def test_modes_lose_setuid_and_leave_the_person_able_to_read(tmp_path: Path) -> None:
    root = laid(
        tmp_path,
        [
            file_entry("su", mode=0o4755),
            file_entry("sg", mode=0o2711),
            file_entry("shadow", mode=0o000),
            file_entry("shared", mode=0o666),
            entry("closed", DIR, mode=0o000),
            entry("sticky", DIR, mode=0o1777),
            file_entry("closed/in", b"x"),
        ],
    )
    modes = {name: stat.S_IMODE((root / name).stat().st_mode) for name in names(root)}
    assert modes == {
        "su": 0o755,
        "sg": 0o711,
        "shadow": 0o400,
        "shared": 0o666,
        "closed": 0o700,
        "sticky": 0o777,
        "closed/in": 0o644,
    }
    assert (root / "su").stat().st_mtime == 1_700_000_000


def test_devices_and_pipes_are_left_out_and_counted(tmp_path: Path) -> None:
    file = tmp_path / "layer"
    kinds = (tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE)
    file.write_bytes(
        layer_of([entry(f"dev/{n}", kind) for n, kind in enumerate(kinds)])
    )
    root, so_far = tmp_path / "root", Unpacked()
    root.mkdir()
    lay(file, Tree(root), so_far)
    assert (so_far.devices, names(root)) == (3, {"dev"})


@pytest.mark.parametrize(
    "name",
    ["/etc/passwd", "../outside/x", "a/../../outside/x", "a/..", "a/" + "b/" * 2500],
)
@pytest.mark.parametrize("is_link", [False, True])
def test_names_that_lead_elsewhere_are_refused(
    tmp_path: Path, name: str, is_link: bool
) -> None:
    one = entry("here", HARD, name) if is_link else file_entry(name, b"x")
    with pytest.raises(BadImage):
        laid(tmp_path, [one])
    assert [one.name for one in (tmp_path / "outside").iterdir()] == ["kept"]


@pytest.mark.parametrize("target", ["/{outside}", "../../../outside", "../../outside"])
def test_files_below_a_link_stay_in_the_image(tmp_path: Path, target: str) -> None:
    where = target.format(outside=str(tmp_path / "outside").lstrip("/"))
    root = laid(
        tmp_path, [entry("way", LINK, where)], [file_entry("way/x/evil", b"evil")]
    )
    assert [one.name for one in (tmp_path / "outside").iterdir()] == ["kept"]
    assert (root / "way").is_symlink()
    assert len([one for one in root.rglob("evil") if one.is_file()]) == 1


def test_usual_links_between_folders_are_followed_inside(tmp_path: Path) -> None:
    root = laid(
        tmp_path,
        [entry("usr/lib", DIR), entry("lib", LINK, "usr/lib")],
        [entry("lib64", LINK, "/lib"), file_entry("lib64/libc.so", b"c")],
    )
    assert (root / "usr/lib/libc.so").read_text() == "c"
    assert (root / "lib").is_symlink()


def test_a_link_is_replaced_and_what_it_leads_to_is_not(tmp_path: Path) -> None:
    outside = str(tmp_path / "outside" / "kept")
    for later in (file_entry("a", b"own"), entry("a", DIR), entry("a", LINK, "b")):
        laid(tmp_path, [entry("a", LINK, outside)], [later])
        assert Path(outside).read_text() == "kept"


def test_hard_links_are_of_files_of_the_image(tmp_path: Path) -> None:
    root = laid(
        tmp_path,
        [file_entry("a", b"one"), entry("d/b", HARD, "a"), entry("a", HARD, "a")],
    )
    assert (root / "a").samefile(root / "d/b")


@pytest.mark.parametrize("target", ["nothing", "d", "out/kept", "."])
def test_hard_links_of_anything_else_are_refused(tmp_path: Path, target: str) -> None:
    out = entry("out", LINK, str(tmp_path / "outside"))
    with pytest.raises(BadImage):
        laid(tmp_path, [entry("d", DIR), out, entry("x", HARD, target)])


@pytest.mark.parametrize(
    "entries",
    [
        [file_entry("a", b"x"), file_entry("a/b", b"x")],
        [entry("a", LINK, "b"), entry("b", LINK, "a"), file_entry("a/c", b"x")],
        [file_entry("a/.wh...", b"")],
        [entry("a", b"V")],
    ],
)
def test_odd_layers_are_refused(tmp_path: Path, entries: list[Entry]) -> None:
    with pytest.raises(BadImage):
        laid(tmp_path, entries)


@pytest.mark.parametrize(
    "raw",
    [
        b"\x28\xb5\x2f\xfd" + b"x" * 100,
        b"\x1f\x8b" + b"x" * 100,
        gzip.compress(b"x" * 5000),
        layer_of([file_entry("a", b"x" * 5000)])[:-40],
    ],
    ids=["zstd", "no gzip", "no tar", "cut"],
)
def test_what_is_no_whole_layer_is_refused(tmp_path: Path, raw: bytes) -> None:
    file = tmp_path / "layer"
    file.write_bytes(raw)
    root = tmp_path / "root"
    root.mkdir()
    with pytest.raises(BadImage):
        lay(file, Tree(root), Unpacked())


@pytest.mark.parametrize("name", ["a/b", "a/b/c"])
def test_a_file_below_a_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadImage, match="no folder"):
        laid(tmp_path, [file_entry("a"), file_entry(name)])


PARTS = st.lists(
    st.sampled_from(["a", "b", "..", ".", "", "outside", ".wh.a", ".wh..wh..opq"]),
    min_size=1,
    max_size=4,
).map("/".join)
KINDS = st.sampled_from([DIR, LINK, HARD, tarfile.REGTYPE])


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.tuples(KINDS, PARTS, PARTS), min_size=1, max_size=6))
def test_no_archive_writes_or_removes_anything_outside(
    tmp_path_factory: pytest.TempPathFactory, made: list[tuple[bytes, str, str]]
) -> None:
    top = tmp_path_factory.mktemp("any")
    layers = [
        [file_entry(name) if kind == tarfile.REGTYPE else entry(name, kind, target)]
        for kind, name, target in made
    ]
    with contextlib.suppress(BadImage):
        laid(top, *layers)
    assert [one.name for one in (top / "outside").iterdir()] == ["kept"]
    assert (top / "outside" / "kept").read_text() == "kept"
    assert {one.name for one in top.iterdir()} <= {"outside", "image", "layer"}
    assert [one.name for one in (top / "image").iterdir()] == ["root"]
