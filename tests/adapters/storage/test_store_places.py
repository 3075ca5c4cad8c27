"""The store's folders, made by root; nobody may mislead it."""

import grp
import os
import pwd
import stat
from pathlib import Path

import pytest

from kqi_hub.domain.errors import InvalidInput, KqiError, NotFound, NotPermitted
from kqi_hub.storage.store_places import StorePlaces, has_group

# Accounts and groups that every Debian has.
USER, TENANT, OTHER = "daemon", "games", "bin"

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="making folders needs root")


@pytest.fixture
def places(tmp_path: Path) -> StorePlaces:
    """Return places below a folder of root's."""
    tmp_path.chmod(0o755)
    return StorePlaces(tmp_path / "store", USER, tmp_path / "store.key")


def test_folders_and_key_are_made_once_and_are_as_they_must_be(
    places: StorePlaces,
) -> None:
    assert places.prepare()
    places.prepare_tenant(TENANT)
    key = places.key_file.read_text()
    assert not places.prepare()
    places.prepare_tenant(TENANT)
    user, group = pwd.getpwnam(USER), grp.getgrnam(TENANT)
    root, folder = places.root.stat(), (places.root / TENANT).stat()
    assert (root.st_uid, stat.S_IMODE(root.st_mode)) == (user.pw_uid, 0o711)
    assert (folder.st_uid, folder.st_gid) == (user.pw_uid, group.gr_gid)
    assert stat.S_IMODE(folder.st_mode) == 0o2750
    seen = places.key_file.stat()
    assert (seen.st_uid, seen.st_gid) == (0, user.pw_gid)
    assert stat.S_IMODE(seen.st_mode) == 0o640
    assert places.key_file.read_text() == key
    assert len(key.strip()) == 64
    assert places.missing([TENANT, OTHER]) == [OTHER]


def test_what_has_become_wrong_is_told_and_put_right(places: StorePlaces) -> None:
    places.prepare()
    places.prepare_tenant(TENANT)
    (places.root / TENANT).chmod(0o755)
    assert places.missing([TENANT]) == [TENANT]
    places.prepare_tenant(TENANT)
    assert places.missing([TENANT]) == []


@pytest.mark.parametrize("trap", ["link", "file", "somebody else's"])
def test_a_trap_in_a_tenants_place_is_refused_and_left_as_it_was(
    places: StorePlaces, tmp_path: Path, trap: str
) -> None:
    places.prepare()
    place, target = places.root / TENANT, tmp_path / "target"
    target.mkdir(mode=0o700)
    if trap == "link":
        place.symlink_to(target)
    elif trap == "file":
        place.touch()
    else:
        place.mkdir(mode=0o700)
        os.chown(place, 64999, 64999)
    with pytest.raises(InvalidInput):
        places.prepare_tenant(TENANT)
    seen = target.stat()
    assert (seen.st_uid, stat.S_IMODE(seen.st_mode)) == (0, 0o700)


@pytest.mark.parametrize("trap", ["link", "open"])
def test_a_root_that_others_could_swap_is_refused(
    places: StorePlaces, tmp_path: Path, trap: str
) -> None:
    if trap == "link":
        (tmp_path / "elsewhere").mkdir()
        places.root.symlink_to(tmp_path / "elsewhere")
    else:
        tmp_path.chmod(0o777)
    with pytest.raises(InvalidInput):
        places.prepare()
    assert not places.key_file.exists()


@pytest.mark.parametrize("tenant", ["no-such-group-here", "../x", "", "a/b"])
def test_a_tenant_without_a_group_is_refused(places: StorePlaces, tenant: str) -> None:
    places.prepare()
    with pytest.raises(KqiError):
        places.prepare_tenant(tenant)
    assert list(places.root.iterdir()) == []


def test_a_store_without_its_user_is_told_how_to_make_it(tmp_path: Path) -> None:
    places = StorePlaces(tmp_path / "store", "no-such-user-here", tmp_path / "key")
    with pytest.raises(NotFound, match="useradd"):
        places.prepare()


def test_roots_own_group_is_no_tenant() -> None:
    assert not has_group("root")
    assert not has_group("no-such-group-here")
    assert has_group(TENANT)


def test_nobody_but_root_makes_folders(
    places: StorePlaces, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(NotPermitted):
        places.prepare()
