"""What a killed store has left: links to contents, which are never written to."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from kqi_hub.domain.tickets import Ticket
from kqi_hub.store.contents import Contents
from kqi_hub.store.errors import WrongOffset
from kqi_hub.store.part import Part
from kqi_hub.store.small_files import keep
from kqi_hub.store.upload import Upload

SHARED = b"what others count on"
LONG = os.urandom(5000)


@pytest.fixture
def contents(tmp_path: Path) -> Contents:
    (tmp_path / "objects").mkdir()
    return Contents(tmp_path / "objects")


@pytest.fixture
def upload(tmp_path: Path, contents: Contents) -> Iterator[Upload]:
    (tmp_path / "upload").mkdir()
    made = Upload(tmp_path / "upload", contents, "alice")
    yield made
    made.close()


@pytest.fixture
def shared(tmp_path: Path, contents: Contents) -> Path:
    """Keep a content, as another upload does, and return its file."""
    place = tmp_path / "of-another"
    sha256 = keep(contents, str(place), SHARED)
    return tmp_path / "objects" / sha256[:2] / sha256


def a_ticket() -> Ticket:
    return Ticket("k" * 40, "vision", "alice", 10, 10**6, 2e9)


def test_a_file_that_begins_where_a_killed_pack_left_a_link_is_its_own(
    upload: Upload, contents: Contents, shared: Path
) -> None:
    # A pack was cut off by kill -9: its file is in place, and nobody noted it.
    (upload.folder / "0").mkdir()
    keep(contents, str(upload.path_of(1)), SHARED)
    assert upload.path_of(1).stat().st_ino == shared.stat().st_ino
    sender = object()
    part = upload.begin(a_ticket(), "long", len(LONG), 0, sender)
    assert isinstance(part, Part)
    part.write(sender, LONG)
    assert upload.finish("long", part, sender) == hashlib.sha256(LONG).hexdigest()
    assert shared.read_bytes() == SHARED


@pytest.mark.parametrize("offset", [None, 0, len(SHARED)])
def test_a_part_that_is_a_content_by_now_begins_anew(
    tmp_path: Path, contents: Contents, shared: Path, offset: int | None
) -> None:
    place = tmp_path / "part"
    keep(contents, str(place), SHARED)
    part, sender = Part(place, 1, len(LONG)), object()
    if offset:
        with pytest.raises(WrongOffset, match="at byte 0"):
            part.begin(sender, offset)
        offset = 0
    part.begin(sender, offset)
    part.write(sender, LONG)
    assert part.finish(sender) == hashlib.sha256(LONG).hexdigest()
    assert (place.read_bytes(), shared.read_bytes()) == (LONG, SHARED)


def test_a_part_that_was_whole_when_the_store_was_killed_goes_on(
    tmp_path: Path,
) -> None:
    place = tmp_path / "part"
    place.write_bytes(LONG)
    place.chmod(0o440)
    part, sender = Part(place, 1, len(LONG)), object()
    part.begin(sender, len(LONG))
    assert part.finish(sender) == hashlib.sha256(LONG).hexdigest()
