"""The demo's channel and site folders, made of one tiny wheel and this Python."""

import io
import os
import shutil
import threading
from pathlib import Path

import pytest

from conda_bootstrap.site.folder import SiteFolder
from conda_bootstrap.site.telling import Terminal
from kqi_hub.devstack.channel import download, own_python, prepare as prepare_module
from kqi_hub.devstack.channel.build import build_channel
from kqi_hub.devstack.channel.download import DownloadFailed, fetch_wheels, read_pins
from kqi_hub.devstack.channel.own_python import UnknownPython
from kqi_hub.devstack.channel.prepare import prepare
from kqi_hub.devstack.environments import Environments
from tests.adapters.conda_site.wheels import make_wheel


class Quiet(Terminal):
    def __init__(self) -> None:
        super().__init__()
        self.said = io.StringIO()

    def say(self, text: str) -> None:
        self.said.write(text + "\n")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder of wheels that pip takes for the whole of the package index."""
    folder = tmp_path / "index"
    folder.mkdir()
    make_wheel(folder, "hello", {"hello/__init__.py": "1"})
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    return folder


@pytest.fixture
def place(tmp_path: Path, index: Path, monkeypatch: pytest.MonkeyPatch) -> Environments:
    shipped = tmp_path / "bases"
    shipped.mkdir()
    (shipped / "tiny.yml").write_text("dependencies: [python, hello]\n")
    pins = tmp_path / "wheels.txt"
    pins.write_text("# one\nhello==1.0\n")
    monkeypatch.setattr(prepare_module, "SHIPPED", shipped)
    monkeypatch.setattr(prepare_module, "BASES", ("tiny",))
    monkeypatch.setattr(prepare_module, "_PINS", pins)
    return Environments(tmp_path / "environments")


def told(done: int, total: int) -> None:
    assert done <= total


def test_it_is_made_once_and_found_the_next_time(place: Environments) -> None:
    assert prepare(place, Quiet())
    assert SiteFolder(place.site).current("tiny") is not None
    lock = (place.demo_site / "bases/tiny/current/lock").read_text()
    assert "/opt/kqi-environments/channel/noarch/hello-1.0-" in lock
    assert str(place.folder) not in lock
    commands = (place.demo_site / "bin/reset_env.sh").read_text()
    assert "site=/opt/kqi-environments\n" in commands
    assert not prepare(place, Quiet())


def test_what_somebody_deleted_is_made_again(place: Environments) -> None:
    prepare(place, Quiet())
    shutil.rmtree(place.demo_site)
    assert prepare(place, Quiet())
    assert SiteFolder(place.demo_site).current("tiny") is not None


def test_of_two_at_once_one_makes_it_and_the_other_finds_it(
    place: Environments,
) -> None:
    made: list[bool] = []
    both = [
        threading.Thread(target=lambda: made.append(prepare(place, Quiet())))
        for _ in range(2)
    ]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert sorted(made) == [False, True]


def test_what_was_interrupted_is_finished_the_next_time(
    place: Environments, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(prepare_module, "publish", interrupted)
        with pytest.raises(KeyboardInterrupt):
            prepare(place, Quiet())
    assert prepare(place, Quiet())
    assert SiteFolder(place.demo_site).current("tiny") is not None


def test_packages_of_a_channel_are_made_again_only_when_their_wheel_changes(
    tmp_path: Path,
) -> None:
    one = make_wheel(tmp_path, "one", {"one.py": "1"})
    two = make_wheel(tmp_path, "two", {"two.py": "2"})
    channel, patchelf = tmp_path / "channel", prepare_module._PATCHELF
    assert build_channel([one, two], channel, patchelf, told) == 3
    before = {path.name for path in channel.glob("*/*.conda")}
    assert build_channel([one, two], channel, patchelf, told) == 0
    make_wheel(tmp_path, "two", {"two.py": "changed"})
    assert build_channel([one, two], channel, patchelf, told) == 1
    after = {path.name for path in channel.glob("*/*.conda")}
    assert len(before - after) == len(after - before) == 1
    index = (channel / "noarch/repodata.json").read_text()
    assert all(name in index for name in after if "python" not in name)
    assert not any(name in index for name in before - after)


def test_wheels_that_are_there_are_not_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    make_wheel(tmp_path, "hello", {})
    (path,) = fetch_wheels({"hello": "1.0"}, tmp_path, told)
    assert path.name == "hello-1.0-py3-none-any.whl"


def test_what_a_killed_run_left_behind_goes(place: Environments) -> None:
    left = [
        place.wheels / "unfinished-x/half.whl",
        place.channel / "noarch/.unfinished-1/half.conda",
    ]
    for path in left:
        path.parent.mkdir(parents=True)
        path.touch()
    prepare(place, Quiet())
    assert not any(path.parent.exists() for path in left)


def test_a_wheel_that_the_index_has_not_is_said_and_the_others_are_kept(
    tmp_path: Path, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "_BATCH", 1)
    with pytest.raises(DownloadFailed, match="nosuch"):
        fetch_wheels({"hello": "1.0", "nosuch": "2"}, tmp_path / "to", told)
    assert [path.name for path in (tmp_path / "to").iterdir()] == [
        "hello-1.0-py3-none-any.whl"
    ]


def test_every_wheel_is_pinned_and_the_shipped_bases_find_theirs() -> None:
    pins = read_pins(prepare_module._PINS)
    assert len(pins) > 100
    assert {"pip", "ipykernel", "numpy", "jupyterlab", "jupyterhub"} <= set(pins)


def test_a_python_of_another_make_is_refused_by_name() -> None:
    with pytest.raises(UnknownPython, match=r"site\.py.*def main"):
        own_python._as_released("site.py", b"print('no main here')\n")


def test_other_files_of_the_library_stay_as_they_are() -> None:
    assert own_python._as_released("os.py", b"\xff any bytes") == b"\xff any bytes"
