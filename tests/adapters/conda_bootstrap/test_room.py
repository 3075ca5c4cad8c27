"""What there is room for, and what environments take."""

import os
from pathlib import Path

import pytest

from conda_bootstrap import room, sizes
from conda_bootstrap.errors import Refused
from conda_bootstrap.packages import Package
from conda_bootstrap.places import Places
from conda_bootstrap.room import Limit, Need, check_room, need
from conda_bootstrap.site_bases import Base

FACTS = {"installed_bytes": 400_000_000, "installed_files": 20_000}
PACKAGES = tuple(Package(f"p{one}", "1", "0", size=10_000_000) for one in range(10))


@pytest.fixture
def places(tmp_path: Path) -> Places:
    made = Places(tmp_path)
    made.make()
    return made


@pytest.mark.parametrize(
    ("wanted", "code"), [(Need(10**18, 1), "no_room"), (Need(1, 10**15), "no_files")]
)
def test_more_than_there_is_is_refused_with_what_to_remove(
    places: Places, wanted: Need, code: str
) -> None:
    with pytest.raises(Refused, match="Nothing was touched") as caught:
        check_room(wanted, places)
    assert caught.value.code == code
    assert str(places.pkgs) in caught.value.hint


@pytest.mark.parametrize(
    ("limit", "code"),
    [
        (Limit(99_000_000, 100_000_000, 0, None), "no_room"),
        (Limit(0, None, 995, 1000), "no_files"),
        (Limit(200_000_000, 100_000_000, 0, None), "no_room"),
        (Limit(0, None, 0, None), None),
    ],
)
def test_quota_counts_where_it_is_less_than_the_disk(
    places: Places,
    monkeypatch: pytest.MonkeyPatch,
    limit: Limit,
    code: str | None,
) -> None:
    monkeypatch.setattr(room, "quota", lambda place: limit)
    if code is None:
        assert "in your quota" in check_room(Need(2_000_000, 10), places)
        return
    with pytest.raises(Refused, match="in your quota") as caught:
        check_room(Need(2_000_000, 10), places)
    assert caught.value.code == code


def test_first_environment_needs_all_and_the_next_one_little(places: Places) -> None:
    base = Base("notebook", Path("/nowhere"), FACTS)
    first = need(PACKAGES, base, places)
    assert 400_000_000 < first.count_bytes < 480_000_000
    assert 20_000 < first.files < 30_000
    for one in PACKAGES:
        info = places.pkgs / one.file_stem / "info"
        info.mkdir(parents=True)
        (info / "index.json").touch()
    further = need(PACKAGES, base, places)
    assert further.count_bytes < 60_000_000
    assert further.files < 4_000


def test_packages_without_a_base_are_guessed_by_their_size(places: Places) -> None:
    wanted = need(PACKAGES, None, places)
    assert 300_000_000 < wanted.count_bytes < 700_000_000


def test_links_count_once_and_shared_ones_not_as_ones_own(tmp_path: Path) -> None:
    inside, cache = tmp_path / "inside", tmp_path / "cache"
    for folder in (inside, cache):
        folder.mkdir()
    (cache / "shared").write_bytes(b"x" * 40_960)
    os.link(cache / "shared", inside / "shared")
    (inside / "own").write_bytes(b"x" * 20_480)
    os.link(inside / "own", inside / "own-again")
    (inside / "link").symlink_to("own")
    told = sizes.count(inside)
    itself = inside.stat().st_blocks * 512
    assert told["bytes"] == itself + 40_960 + 20_480
    assert told["own_bytes"] == itself + 20_480
    assert (told["files"], told["own_files"]) == (5, 3)


def test_figures_are_kept_for_lists(places: Places) -> None:
    (places.envs / "one").mkdir()
    assert sizes.known(places, "one") is None
    assert sizes.counted(places, "one") == sizes.known(places, "one")
    places.note("sizes", "one").write_text("[1]")
    assert sizes.known(places, "one") is None
