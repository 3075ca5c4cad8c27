"""hub_config.kept_secret: made once, ours alone, the same for everybody."""

import os
import stat
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from hub_config.kept_secret import kept_secret
from kqi_hub.domain.errors import SettingsError

AT_ONCE = 8


def made_after_waiting(folder: Path, number: int) -> str:
    """Wait for all the others, so that they really do it at once."""
    (folder / f"ready-{number}").touch()
    while len(list(folder.glob("ready-*"))) < AT_ONCE:
        pass
    return kept_secret(folder / "secret")


def test_it_is_long_random_and_readable_by_us_alone(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        secrets = {kept_secret(tmp_path / name) for name in ("one", "two")}
    finally:
        os.umask(old)
    assert len(secrets) == 2
    assert all(len(set(one)) > 8 and len(one) == 64 for one in secrets)
    assert stat.S_IMODE((tmp_path / "one").stat().st_mode) == 0o600


def test_it_is_made_once_and_nothing_else_is_left(tmp_path: Path) -> None:
    first = kept_secret(tmp_path / "secret")
    assert kept_secret(tmp_path / "secret") == first
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


@pytest.mark.slow
def test_processes_that_start_at_once_end_up_with_the_same_one(tmp_path: Path) -> None:
    context = get_context("spawn")
    with ProcessPoolExecutor(AT_ONCE, mp_context=context) as pool:
        folders = [tmp_path] * AT_ONCE
        found = set(pool.map(made_after_waiting, folders, range(AT_ONCE)))
    assert found == {(tmp_path / "secret").read_text()}
    assert not list(tmp_path.glob(".secret*"))


def test_threads_of_one_process_end_up_with_the_same_one(tmp_path: Path) -> None:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        folders = [tmp_path] * AT_ONCE
        found = set(pool.map(made_after_waiting, folders, range(AT_ONCE)))
    assert found == {(tmp_path / "secret").read_text()}


@pytest.mark.parametrize("target", ["elsewhere", "missing"])
def test_a_symbolic_link_in_its_place_is_refused_and_not_followed(
    tmp_path: Path, target: str
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("known to somebody")
    elsewhere.chmod(0o600)
    (tmp_path / "secret").symlink_to(tmp_path / target)
    with pytest.raises(SettingsError, match="symbolic link"):
        kept_secret(tmp_path / "secret")
    assert elsewhere.read_text() == "known to somebody"
    assert not (tmp_path / "missing").exists()


@pytest.mark.parametrize("content", ["", "two\nlines\n", "nul\0nul"])
def test_what_is_there_and_no_secret_is_refused_and_kept(
    tmp_path: Path, content: str
) -> None:
    (tmp_path / "secret").write_text(content)
    (tmp_path / "secret").chmod(0o600)
    with pytest.raises(SettingsError, match="refused"):
        kept_secret(tmp_path / "secret")
    assert (tmp_path / "secret").read_text() == content


def test_one_that_others_could_read_is_refused(tmp_path: Path) -> None:
    kept_secret(tmp_path / "secret")
    (tmp_path / "secret").chmod(0o644)
    with pytest.raises(SettingsError, match="others may open it"):
        kept_secret(tmp_path / "secret")


def test_a_folder_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    with pytest.raises(SettingsError, match="not a regular file"):
        kept_secret(tmp_path / "secret")


def test_what_a_killed_process_left_is_in_nobodys_way(tmp_path: Path) -> None:
    (tmp_path / f".secret.{os.getpid()}").write_text("half")
    assert len(kept_secret(tmp_path / "secret")) == 64
