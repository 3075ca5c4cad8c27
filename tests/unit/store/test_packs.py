"""Packs: read as they come, whatever the cuts, and whatever is in them."""

import json

import pytest

from kqi_hub.domain.errors import KqiError
from kqi_hub.store.packs import LONGEST_BYTES, PackReader

FILES = [("a/b", b"hello"), ("empty", b""), ("名前/파일", b"\0\n\xff" * 100)]


def packed(files: list[tuple[str, bytes]]) -> bytes:
    out = b""
    for path, data in files:
        head = json.dumps({"path": path, "size": len(data)}).encode()
        out += len(head).to_bytes(4, "big") + head + data
    return out


@pytest.mark.parametrize("step", [1, 2, 3, 7, 64, 10_000])
def test_a_pack_is_read_whatever_the_pieces_it_comes_in(step: int) -> None:
    reader, body = PackReader(), packed(FILES)
    found = []
    for place in range(0, len(body), step):
        found += list(reader.feed(body[place : place + step]))
    assert found == FILES
    assert reader.is_between_files


@pytest.mark.parametrize("missing", [1, 3, 250, 299, 310])
def test_of_a_cut_pack_the_whole_files_are_there_and_the_cut_is_known(
    missing: int,
) -> None:
    reader = PackReader()
    found = list(reader.feed(packed(FILES)[:-missing]))
    assert found == FILES[:2]
    assert not reader.is_between_files


@pytest.mark.parametrize(
    "raw",
    [
        b"\xff\xff\xff\xff",
        b"\0\0\0\0",
        b"\0\0\0\x02[]",
        b"\0\0\0\x04null",
        b'\0\0\0\x0c{"path":"a"}',
        b'\0\0\0\x15{"path":1,"size":200}',
        b'\0\0\0\x17{"path":"a","size":"1"}',
        b'\0\0\0\x16{"path":"a","size":-1}',
        b'\0\0\0\x18{"path":"a","size":true}',
        b"\0\0\0\x03\xff\xfe\xfd",
    ],
)
def test_headers_that_are_none_are_refused(raw: bytes) -> None:
    with pytest.raises(KqiError) as refused:
        list(PackReader().feed(raw + b"x" * 64))
    assert refused.value.status == 400


def test_a_file_larger_than_a_pack_is_refused_before_it_is_kept() -> None:
    head = json.dumps({"path": "a", "size": LONGEST_BYTES + 1}).encode()
    with pytest.raises(KqiError):
        list(PackReader().feed(len(head).to_bytes(4, "big") + head))


def test_deeply_nested_headers_are_refused_and_not_followed() -> None:
    head = b"[" * 8000
    with pytest.raises(KqiError):
        list(PackReader().feed(len(head).to_bytes(4, "big") + head))
