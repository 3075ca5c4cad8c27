"""Whatever moment a process is killed at: the one environment or the other, whole."""

from pathlib import Path

import pytest

from conda_bootstrap import replacing
from conda_bootstrap.kernels import Why
from conda_bootstrap.marker import Marker, read_marker
from conda_bootstrap.places import Places
from conda_bootstrap.replacing import put_back, recover, replace
from conda_bootstrap.stages import new_stage

NAME = "torch-2.5"
BAD = Why("kernel_start", "it does not start")


@pytest.fixture
def places(tmp_path: Path) -> Places:
    made = Places(tmp_path)
    made.make()
    return made


def whole(folder: Path, build: str) -> Path:
    (folder / "conda-meta").mkdir(parents=True)
    Marker(name=NAME, backend="rattler", build=build).write(folder)
    (folder / "data").write_text(build)
    return folder


def there(places: Places) -> str:
    marker = read_marker(places.environment(NAME))
    assert marker is not None
    assert (places.environment(NAME) / "data").read_text() == marker.build
    return marker.build


def good() -> Why | None:
    return None


def bad() -> Why | None:
    return BAD


def left(places: Places) -> list[Path]:
    return [*places.old.iterdir(), *places.stage.iterdir()]


@pytest.mark.parametrize("can_exchange", [True, False])
def test_new_one_is_in_place_and_the_old_one_kept(
    places: Places, can_exchange: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not can_exchange:  # as on file systems that answer EINVAL
        monkeypatch.setattr(replacing, "exchange", lambda one, other: False)
    whole(places.environment(NAME), "aa")
    stage = whole(new_stage(places, NAME), "bb")
    kept = replace(places, NAME, stage, "bb")
    assert there(places) == "bb"
    put_back(places, NAME, kept)
    assert there(places) == "aa"
    recover(places, NAME, good)
    assert left(places) == []


def test_kill_before_the_exchange_keeps_the_old_one(places: Places) -> None:
    whole(places.environment(NAME), "aa")
    whole(places.old / f"{NAME}.bb.new", "bb")
    recover(places, NAME, good)
    assert there(places) == "aa"
    assert left(places) == []


@pytest.mark.parametrize(("judge", "stays"), [(good, "bb"), (bad, "aa")])
@pytest.mark.parametrize("suffix", [".new", ""])
def test_kill_after_the_exchange_is_judged_then(
    places: Places, suffix: str, judge: replacing.Judge, stays: str
) -> None:
    whole(places.environment(NAME), "bb")
    whole(places.old / f"{NAME}.bb{suffix}", "aa")
    recover(places, NAME, judge)
    assert there(places) == stays
    assert left(places) == []


def test_kill_between_two_renames_brings_the_old_one_back(places: Places) -> None:
    whole(places.old / f"{NAME}.bb", "aa")
    whole(places.old / f"{NAME}.bb.new", "bb")
    recover(places, NAME, bad)
    assert there(places) == "aa"
    assert left(places) == []


def test_kill_after_a_rejected_one_was_put_aside_removes_it(places: Places) -> None:
    whole(places.environment(NAME), "aa")
    whole(places.old / f"{NAME}.bb", "bb")
    recover(places, NAME, bad)
    assert there(places) == "aa"
    assert left(places) == []


def test_an_old_one_made_by_hand_is_kept_until_the_new_one_starts(
    places: Places,
) -> None:
    whole(places.environment(NAME), "bb")
    by_hand = places.old / f"{NAME}.bb"
    by_hand.mkdir()
    (by_hand / "mine").touch()
    recover(places, NAME, bad)
    assert (places.environment(NAME) / "mine").exists()


def test_kill_during_a_removal_removes_the_rest(places: Places) -> None:
    (places.old / f"{NAME}.1234.gone" / "lib").mkdir(parents=True)
    recover(places, NAME, good)
    assert left(places) == []
    assert not places.environment(NAME).exists()


def test_other_names_are_left_alone(places: Places) -> None:
    other = whole(places.stage / f"{NAME}.x.0123", "cc")  # of NAME.x, not of NAME
    recover(places, NAME, good)
    assert other.is_dir()


def test_write_protected_leftovers_are_removed(places: Places) -> None:
    folder = places.stage / f"{NAME}.0123" / "lib"
    folder.mkdir(parents=True)
    (folder / "file").touch()
    folder.chmod(0o500)
    folder.parent.chmod(0o500)
    recover(places, NAME, good)
    assert left(places) == []


def test_twin_of_a_stage_is_removed_with_it_and_nothing_else_is(places: Places) -> None:
    twin = places.conda / "~abcdefg"
    twin.mkdir()
    (places.stage / f"{NAME}.01").mkdir()
    (places.stage / f"{NAME}.01" / "twin").write_text("~abcdefg")
    (places.stage / f"{NAME}.02").mkdir()
    (places.stage / f"{NAME}.02" / "twin").write_text("../../workspace")
    places.workspace.mkdir()
    recover(places, NAME, good)
    assert not twin.exists()
    assert places.workspace.is_dir()
    assert left(places) == []
