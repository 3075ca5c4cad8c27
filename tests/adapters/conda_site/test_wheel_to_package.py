import asyncio
import hashlib
import io
import json
import os
import tarfile
import zipfile
from pathlib import Path

import pytest
from conda_package_streaming import (  # type: ignore[import-untyped]  # carries no types
    package_streaming,
)
from packaging.requirements import Requirement
from rattler import PathsJson, install, solve

from kqi_hub.devstack.channel.package import PLACEHOLDER, write_package
from kqi_hub.devstack.channel.requirements import conda_name, match_specs
from kqi_hub.devstack.channel.wheel import (
    PYTHON,
    BadWheel,
    Wheel,
    asked_extras,
    package_of_wheel,
)
from tests.adapters.conda_site.wheels import make_channel, make_wheel, tiny_package

POINTS = "[console_scripts]\nHello = hello.main:Cli.run [fast]\n[other]\nx = y:z\n"


def info_of(path: Path, name: str) -> dict[str, object]:
    for archive, member in package_streaming.stream_conda_component(
        path, component="info"
    ):
        if member.name == f"info/{name}":
            found: dict[str, object] = json.load(archive.extractfile(member))
            return found
    raise AssertionError(name)


def texts_of(path: Path, extras: tuple[str, ...] = ()) -> dict[str, bytes]:
    with Wheel(path) as wheel:
        package = package_of_wheel(wheel, extras, "abc1234")
    return {entry.path: entry.data for entry in package.entries}


def test_a_pure_wheel_becomes_a_noarch_package_with_its_commands(
    tmp_path: Path,
) -> None:
    made = make_wheel(tmp_path, "hello", {"hello/main.py": "1"}, points=POINTS)
    with Wheel(made) as wheel:
        package = package_of_wheel(wheel, (), "abc1234")
    path = write_package(package, tmp_path)
    assert path == tmp_path / "noarch/hello-1.0-pyhabc1234_0.conda"
    index = info_of(path, "index.json")
    assert (index["noarch"], index["subdir"]) == ("python", "noarch")
    assert index["depends"] == ["python >=3.9"]
    link = info_of(path, "link.json")
    points = ["Hello = hello.main:Cli.run"]
    assert link["noarch"] == {"type": "python", "entry_points": points}


def test_paths_json_has_the_hash_and_size_of_each_file(tmp_path: Path) -> None:
    made = make_wheel(tmp_path, "hello", {"hello/main.py": "print(1)\n"})
    with Wheel(made) as wheel:
        path = write_package(package_of_wheel(wheel, (), "abc1234"), tmp_path)
    paths = {
        str(one.relative_path): one
        for one in PathsJson.from_package_archive(path).paths
    }
    known = paths["site-packages/hello/main.py"]
    assert known.sha256 == hashlib.sha256(b"print(1)\n").digest()
    assert known.size_in_bytes == 9


def test_a_binary_wheel_gets_its_commands_as_files(tmp_path: Path) -> None:
    tag = "cp311-cp311-manylinux_2_17_x86_64"
    made = make_wheel(tmp_path, "hello", {"hello/main.py": "1"}, tag=tag, points=POINTS)
    texts = texts_of(made)
    script = texts["bin/Hello"].decode()
    assert script.startswith(f"#!{PLACEHOLDER}/bin/python\n")
    assert "from hello.main import Cli" in script
    assert "sys.exit(Cli.run())" in script
    assert f"lib/python{PYTHON}/site-packages/hello/main.py" in texts


def test_data_scripts_and_headers_find_their_places(tmp_path: Path) -> None:
    data = "hello-1.0.data"
    files = {
        f"{data}/scripts/run": "#!python -s\nprint(1)\n",
        f"{data}/data/share/hello/x": "x",
        f"{data}/headers/h.h": "h",
        f"{data}/purelib/hello/y.py": "y",
    }
    texts = texts_of(make_wheel(tmp_path, "hello", files))
    assert texts["python-scripts/run"].startswith(
        f"#!{PLACEHOLDER}/bin/python -s\n".encode()
    )
    assert texts["share/hello/x"] == b"x"
    assert texts[f"include/python{PYTHON}/hello/h.h"] == b"h"
    assert texts["site-packages/hello/y.py"] == b"y"
    record = texts["site-packages/hello-1.0.dist-info/RECORD"].decode()
    assert "../../../bin/run,," in record
    assert "../../../share/hello/x,sha256=" in record
    assert "of the wheel" not in record


@pytest.mark.parametrize(
    "name", ["../evil", "/etc/evil", "a/../../evil", "hello-1.0.data/etc/evil"]
)
def test_a_wheel_that_would_write_elsewhere_is_refused(
    tmp_path: Path, name: str
) -> None:
    with pytest.raises(BadWheel, match="evil"):
        texts_of(make_wheel(tmp_path, "hello", {name: "x"}))


def test_a_wheel_without_metadata_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "hello-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("hello.py", "x")
    with pytest.raises(BadWheel, match="METADATA"):
        Wheel(path)


def test_extras_that_one_asks_of_another_are_followed(tmp_path: Path) -> None:
    asks = make_wheel(tmp_path, "asks", {}, requires=("gives[fast]",))
    requires = ('quick>1; extra == "fast"', 'slow; extra == "slow"', "always")
    gives = make_wheel(tmp_path, "gives", {}, requires=(*requires, "deep[a]"))
    deep = make_wheel(tmp_path, "deep", {}, requires=('deep[b]; extra == "a"',))
    asked = asked_extras([asks, gives, deep])
    assert asked == {"gives": {"fast"}, "deep": {"a", "b"}}
    with Wheel(gives) as wheel:
        package = package_of_wheel(wheel, asked["gives"], "abc1234")
    assert package.depends == ("python >=3.9", "always", "deep", "quick >1")


@pytest.mark.parametrize(
    ("asked", "written"),
    [
        ("numpy", "numpy"),
        ("numpy>=1.2,<3", "numpy <3,>=1.2"),
        ("numpy==1.2.*", "numpy 1.2.*"),
        ("numpy!=1.2.*", "numpy !=1.2.*"),
        ("numpy~=1.2", "numpy ~=1.2"),
        ("numpy===1.2", "numpy ==1.2"),
        ("Jupyter-Client>1", "jupyter_client >1"),
        ("tzdata", "python-tzdata"),
    ],
)
def test_requirements_are_written_as_conda_reads_them(asked: str, written: str) -> None:
    assert match_specs([Requirement(asked)]) == (written,)


def test_two_requirements_of_one_package_become_one() -> None:
    both = [Requirement("Jinja2>=3"), Requirement("jinja2<4")]
    assert match_specs(both) == ("jinja2 <4,>=3",)


def test_names_are_those_of_the_public_channel() -> None:
    assert conda_name("Typing-Extensions") == "typing_extensions"
    assert conda_name("Pillow") == "pillow"


async def test_an_install_puts_the_prefix_into_text_and_binary_files(
    tmp_path: Path,
) -> None:
    channel = tmp_path / "channel"
    address = await _in_thread(channel)
    prefix = tmp_path / "a prefix with spaces"
    records = await solve(sources=[address], specs=["tool"], virtual_packages=[])
    await install(records, prefix, cache_dir=tmp_path / "cache", show_progress=False)
    assert (prefix / "share/tool/text").read_text() == f"{prefix}/x\n"
    binary = (prefix / "share/tool/binary").read_bytes()
    assert f"\0{prefix}/lib\0".encode() in binary
    assert len(binary) == len(PLACEHOLDER) + len(b"\0/lib\0end")
    assert (prefix / "bin/tool-link").readlink() == Path("tool")
    assert os.access(prefix / "bin/tool", os.X_OK)


async def _in_thread(channel: Path) -> str:
    return await asyncio.to_thread(make_channel, channel, tiny_package("tool"))


def test_a_package_is_written_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tarfile.TarFile, "addfile", full)
    with pytest.raises(OSError, match="No space"):
        write_package(tiny_package("tool"), tmp_path)
    assert [*tmp_path.glob("*/*.conda")] == []


def test_the_same_package_is_written_with_the_same_bytes(tmp_path: Path) -> None:
    def digest(folder: str) -> str:
        path = write_package(tiny_package("tool"), tmp_path / folder)
        stream = io.BytesIO(path.read_bytes())
        with zipfile.ZipFile(stream) as archive:
            return str([(one.filename, one.CRC) for one in archive.infolist()])

    assert digest("one") == digest("two")
