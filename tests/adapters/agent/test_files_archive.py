"""Folders as one file: other programs unpack them, and nothing dangerous is in them."""

import io
import os
import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path
from urllib.parse import urlencode

import pytest

from kqi_hub.agent.files import zipping
from tests.adapters.agent.conftest import Lab
from tests.adapters.agent.file_calls import ask, change, refused

CONTENT = os.urandom(100_000) * 4


@pytest.fixture
def tree(lab: Lab) -> Path:
    """Return a folder with a little of everything."""
    top = lab.folder / "workspace/run"
    (top / "sub/empty folder").mkdir(parents=True)
    (top / "model.pt").write_bytes(CONTENT)
    (top / "sub/loss.csv").write_text("a,b\n" * 10_000)
    (top / "sub/zero").touch()
    (top / "データ.txt").write_text("x")
    (top / ("n" * 255)).write_text("long")
    (top / os.fsdecode(b"caf\xe9")).write_text("latin")
    (top / "link").symlink_to("/etc/passwd")
    os.mkfifo(top / "fifo")
    return top


FILES = {"run/model.pt": CONTENT, "run/sub/loss.csv": b"a,b\n" * 10_000,
         "run/sub/zero": b"", "run/データ.txt": b"x",
         "run/" + "n" * 255: b"long"}  # fmt: skip


async def test_a_zip_holds_the_folder(lab: Lab, tree: Path) -> None:
    answer = await ask(lab, "archive", path="workspace/run", format="zip")
    assert answer.headers["Content-Type"] == "application/zip"
    assert 'filename="run.zip"' in answer.headers["Content-Disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.body)) as made:
        assert made.testzip() is None
        names = set(made.namelist())
        assert {name: made.read(name) for name in FILES} == FILES
        assert "run/sub/empty folder/" in names
        assert made.read("run/link") == b"/etc/passwd"
        assert made.getinfo("run/link").external_attr >> 28 == 0o12
        assert b"run/fifo: a FIFO" in made.read("NOT-INCLUDED.txt")
        assert "run/fifo" not in names


async def test_a_tar_holds_the_folder(lab: Lab, tree: Path) -> None:
    answer = await ask(lab, "archive", path="workspace/run", format="tar")
    with tarfile.open(fileobj=io.BytesIO(answer.body)) as made:
        for name, content in FILES.items():
            file = made.extractfile(name)
            assert file is not None
            assert file.read() == content
        assert made.getmember(os.fsdecode(b"run/caf\xe9")).size == 5
        assert made.getmember("run/link").linkname == "/etc/passwd"
        assert made.getmember("run/link").issym()
        assert "run/fifo" not in made.getnames()
        assert "NOT-INCLUDED.txt" in made.getnames()


@pytest.mark.skipif(not shutil.which("unzip"), reason="unzip is not installed")
@pytest.mark.parametrize("large", [zipping._LARGE, 10], ids=["usual", "zip64"])
async def test_unzip_unpacks_it(
    lab: Lab, tree: Path, tmp_path: Path, large: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zipping, "_LARGE", large)
    answer = await ask(lab, "archive", path="workspace/run")
    unpack(answer.body, tmp_path)
    assert (tmp_path / "out/run/model.pt").read_bytes() == CONTENT
    assert (tmp_path / "out/run/link").is_symlink()


def unpack(raw: bytes, folder: Path) -> None:
    (folder / "made.zip").write_bytes(raw)
    subprocess.run(
        ["unzip", "-q", folder / "made.zip", "-d", folder / "out"], check=True,
        env={"LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"]},
    )  # fmt: skip


@pytest.mark.parametrize("as_form", [True, False])
async def test_several_are_packed_whoever_asks(
    lab: Lab, tree: Path, as_form: bool
) -> None:
    paths = ["workspace/run/sub", "workspace/run/model.pt", "workspace/run/link"]
    if as_form:
        body: object = urlencode(
            [("root", "scratch"), ("format", "tar"), *(("path", one) for one in paths)]
        ).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
    else:
        body, headers = (
            {"paths": paths, "format": "tar"},
            {"Content-Type": "application/json"},
        )
    answer = await change(lab, "archive", body, headers=headers)
    with tarfile.open(fileobj=io.BytesIO(answer.body)) as made:
        assert made.getnames() == [
            "sub", *made.getnames()[1:4], "model.pt", "link",
        ]  # fmt: skip


async def test_the_whole_of_ones_own_folder_can_be_fetched(
    lab: Lab, tree: Path
) -> None:
    answer = await ask(lab, "archive", path="", format="tar")
    with tarfile.open(fileobj=io.BytesIO(answer.body)) as made:
        assert "./workspace/run/model.pt" in made.getnames()


@pytest.mark.parametrize(
    ("query", "expected"),
    [({"path": "workspace/gone"}, (404, "not-there")),
     ({"path": "workspace", "format": "rar"}, (400, "invalid-input")),
     ({"format": "zip"}, (400, "invalid-input")),
     ({"path": "../.."}, (400, "invalid-input"))],
)  # fmt: skip
async def test_what_cannot_be_packed_is_said_before_anything_is_sent(
    lab: Lab, query: dict[str, object], expected: tuple[int, str]
) -> None:
    assert refused(await ask(lab, "archive", **query)) == expected


async def test_a_link_out_is_packed_as_a_link_and_not_followed_on_the_way(
    lab: Lab,
) -> None:
    (lab.folder / "workspace/etc").symlink_to("/etc")
    answer = await ask(lab, "archive", path="workspace/etc/ssl")
    assert refused(answer) == (403, "outside")
    answer = await ask(lab, "archive", path="workspace/etc", format="tar")
    with tarfile.open(fileobj=io.BytesIO(answer.body)) as made:
        (only,) = made.getmembers()
        assert (only.name, only.linkname) == ("etc", "/etc")
