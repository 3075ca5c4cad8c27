"""A demo takes only a folder of its own."""

from pathlib import Path

import pytest

from kqi_hub.devstack.layout import Folder, checkout, demo_folder


def test_a_new_folder_is_closed_to_others(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "deep" / "demo")
    assert folder.is_ours()
    folder.create()
    assert folder.is_ours()
    assert folder.path.stat().st_mode & 0o777 == 0o700


def test_an_empty_folder_may_be_taken(tmp_path: Path) -> None:
    assert Folder(tmp_path).is_ours()


def test_somebody_elses_folder_may_not(tmp_path: Path) -> None:
    (tmp_path / "README").write_text("my own project")
    assert not Folder(tmp_path).is_ours()


def test_the_environment_names_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KQI_DEMO_DIR", "beside")
    assert demo_folder().path == tmp_path / "beside"
    monkeypatch.setenv("KQI_DEMO_DIR", "")
    assert demo_folder().path == checkout() / ".demo"
