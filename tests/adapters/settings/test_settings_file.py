"""The settings file on disk: found, opened, and trusted or not."""

import os
from pathlib import Path

import pytest

from kqi_hub.domain.errors import SettingsError
from kqi_hub.settings.loader import load_settings

GOOD = '[cluster]\nname = "gpu1"\n[database]\nurl = "sqlite:////tmp/kqi.sqlite"\n'


def refusal(path: Path) -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings(path, {})
    assert str(path) in caught.value.message
    return str(caught.value)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "kqi settings '文'.toml"
    path.write_text(GOOD, encoding="utf-8")
    path.chmod(0o644)
    return path


def test_a_file_named_in_the_environment_is_read(file: Path) -> None:
    assert load_settings(None, {"KQI_CONFIG": str(file)}).cluster.name == "gpu1"


def test_the_file_given_wins_over_the_environment(file: Path) -> None:
    settings = load_settings(file, {"KQI_CONFIG": "/nonexistent"})
    assert settings.cluster.name == "gpu1"


def test_a_missing_file_is_told_with_what_to_do(tmp_path: Path) -> None:
    message = refusal(tmp_path / "nothing.toml")
    assert "--config" in message
    assert "KQI_CONFIG" in message


def test_a_file_that_anybody_may_write_is_refused(file: Path) -> None:
    file.chmod(0o666)
    assert f"chmod o-w {file}" in refusal(file)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert "Is a directory" in refusal(tmp_path)


def test_a_device_is_refused() -> None:
    assert "not a regular file" in refusal(Path("/dev/null"))


def test_a_fifo_is_refused_and_hangs_nobody(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    assert "not a regular file" in refusal(fifo)


def test_bytes_that_are_no_text_are_refused(file: Path) -> None:
    file.write_bytes(b"\xff\xfe[\0c\0")
    assert "is not UTF-8 text" in refusal(file)


def test_a_file_that_we_may_not_read_is_told(file: Path) -> None:
    file.chmod(0)
    was_root = os.geteuid() == 0
    if was_root:
        os.seteuid(65534)  # root may read every file
    try:
        assert "Permission denied" in refusal(file)
    finally:
        if was_root:
            os.seteuid(0)
