"""Names as they travel: every name there is, one way and back."""

import itertools
import os

import pytest

from kqi_hub.agent.errors import Problem
from kqi_hub.agent.files.names import (
    arrived,
    arrived_path,
    travelling,
    travelling_path,
)
from kqi_hub.sdk import file_names

PARTS = [b"a", b"%", b"2", b"5", b"f", b"\xff", b"\xc3", b"\xa9", b" ", b"\n"]
NAMES = [b"".join(one) for count in (1, 2, 3, 4) for one in itertools.product(
    PARTS, repeat=count)]  # fmt: skip


def test_every_name_comes_back_and_no_two_are_one() -> None:
    texts = {}
    for raw in NAMES:
        text = travelling(os.fsdecode(raw))
        text.encode()  # plain UTF-8: any program can carry it
        assert os.fsencode(arrived(text)) == raw
        texts[text] = raw
    assert len(texts) == len(NAMES)


def test_the_sdk_writes_names_as_the_agent_does() -> None:
    for raw in NAMES:
        name = os.fsdecode(raw)
        assert file_names.travelling(name) == travelling(name)


@pytest.mark.parametrize(
    ("raw", "text"),
    [(b"100% done.txt", "100% done.txt"), (b"100%25", "100%2525"),
     (b"caf\xe9", "caf%e9"), (b"%e9", "%25e9"), ("日本".encode(), "日本"),
     (b"%%25", "%%2525"), (b"%E9", "%E9")],
)  # fmt: skip
def test_names_stay_readable(raw: bytes, text: str) -> None:
    assert travelling(os.fsdecode(raw)) == text


@pytest.mark.parametrize("text", ["..", "a/..", "a//b", ".", "a/./b", "\0", "x" * 4097])
def test_paths_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(Problem):
        arrived_path(text)


def test_escaped_dots_and_slashes_are_only_names() -> None:
    assert arrived_path("%2e%2e/x") == ("%2e%2e", "x")
    assert arrived_path("a%2fb") == ("a%2fb",)


@pytest.mark.parametrize("text", ["", "/", "a", "a/b/c", "/a/b/"])
def test_a_path_is_its_names(text: str) -> None:
    assert travelling_path(arrived_path(text)) == text.strip("/")
