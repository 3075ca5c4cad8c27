"""Rows whose fields hold whatever people choose."""

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, strategies as st

from kqi_hub.domain.errors import ClusterError
from kqi_hub.slurm.rows import RowCache, Shape, Tokens, split_rows

SHAPE = Shape(plain=("JobID", "State"), free=("Name", "Comment"))
# Any bytes that a C string can hold; Slurm itself refuses no other.
any_text = st.binary(max_size=40).map(lambda raw: raw.replace(b"\0", b""))


def printed(rows: Sequence[tuple[bytes, bytes, bytes, bytes]], tokens: Tokens) -> bytes:
    """Print as squeue does with SHAPE's format."""
    field, row_end = tokens.field.encode(), tokens.row.encode() + b"\n"
    return b"".join(
        job_id + b"|" + state + field + name + field + comment + row_end
        for job_id, state, name, comment in rows
    )


@given(st.lists(st.tuples(any_text, any_text), max_size=8))
def test_any_text_is_read_back_and_breaks_no_other_row(
    texts: list[tuple[bytes, bytes]],
) -> None:
    tokens = Tokens.fresh()
    rows = [(b"%d" % i, b"RUNNING", *pair) for i, pair in enumerate(texts)]
    read = [
        SHAPE.fields(row) for row in split_rows("squeue", printed(rows, tokens), tokens)
    ]
    assert read == [[field.decode(errors="replace") for field in row] for row in rows]


@pytest.mark.parametrize(
    "name",
    [
        *(
            b"a|b",
            b"tab\t",
            b"\n",
            b"\nx\n",
            b"\r",
            b"\x01",
            b"\x1e\x1f",
            b"'\"`",
            b"\xff",
        ),
        *(b"x JobId=1 State=RUNNING", b"|".join([b"1"] * 40), b"%s%n", b"(null)", b""),
    ],
)
def test_weird_names_come_back_as_they_are(name: bytes) -> None:
    tokens = Tokens.fresh()
    (row,) = split_rows("squeue", printed([(b"1", b"R", name, name)], tokens), tokens)
    assert SHAPE.fields(row) == ["1", "R", *[name.decode(errors="replace")] * 2]


def test_the_separator_of_an_earlier_call_is_only_text() -> None:
    seen, now = Tokens.fresh(), Tokens.fresh()
    forged = f"x{seen.field}alice{seen.row}\n1|RUNNING{seen.field}".encode()
    rows = split_rows("squeue", printed([(b"1", b"R", forged, b"")], now), now)
    assert [SHAPE.fields(row)[2] for row in rows] == [forged.decode()]


def test_separators_differ_from_call_to_call_and_follow_a_width() -> None:
    tokens = [Tokens.fresh() for _ in range(50)]
    assert len({one.field for one in tokens} | {one.row for one in tokens}) == 100
    assert not any(one.field[0].isdigit() for one in tokens)
    assert all(set(",:|\n").isdisjoint(one.field) for one in tokens)


def test_a_row_is_the_same_bytes_at_every_call() -> None:
    content = [(b"1", b"R", b"name", b"comment")]
    first, second = Tokens.fresh(), Tokens.fresh()
    assert split_rows("squeue", printed(content, first), first) == split_rows(
        "squeue", printed(content, second), second
    )


@given(st.integers(1, 200))
def test_a_part_of_an_answer_is_refused(cut: int) -> None:
    tokens = Tokens("xfieldfield", "xrowrowrowr")
    answer = printed([(b"1", b"R", b"one", b""), (b"2", b"R", b"two", b"")], tokens)
    part = answer[: max(0, len(answer) - cut)]
    whole = len(answer) // 2
    if len(part) in {0, whole}:  # nothing at all, or the first row as a whole
        assert len(split_rows("squeue", part, tokens)) == len(part) // whole
    else:
        with pytest.raises(ClusterError, match="breaks off"):
            split_rows("squeue", part, tokens)


def test_a_nul_in_an_answer_is_refused() -> None:
    tokens = Tokens.fresh()
    with pytest.raises(ClusterError, match="NUL"):
        split_rows("squeue", printed([(b"1", b"R", b"a\0b", b"")], tokens), tokens)


def test_a_row_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="3 fields"):
        SHAPE.fields(b"1|RUNNING\0name")


def noting(read: list[bytes]) -> Callable[[bytes], str]:
    """Make a reader of rows that notes what it has to read."""

    def read_row(row: bytes) -> str:
        read.append(row)
        return row.decode()

    return read_row


class TestRowCache:
    """Rows are read once."""

    def test_an_unchanged_row_is_not_read_again(self) -> None:
        read: list[bytes] = []
        cache = RowCache("squeue", noting(read))
        first = cache.read([b"a", b"b"])
        second = cache.read([b"b", b"a", b"c"])
        assert (first, second) == (("a", "b"), ("b", "a", "c"))
        assert second[1] is first[0]
        assert read == [b"a", b"b", b"c"]

    def test_rows_that_are_gone_are_forgotten(self) -> None:
        read: list[bytes] = []
        cache = RowCache("squeue", noting(read))
        for rows in ([b"a"], [b"b"], [b"a"]):
            cache.read(rows)
        assert read == [b"a", b"b", b"a"]

    def test_equal_rows_stay_as_many(self) -> None:
        assert RowCache("squeue", bytes.decode).read([b"a", b"a"]) == ("a", "a")

    def test_one_unreadable_row_fails_the_reading_and_says_which(self) -> None:
        cache = RowCache("squeue", lambda row: int(row))
        with pytest.raises(ClusterError, match=r"squeue.*b'x'"):
            cache.read([b"1", b"x"])
        assert cache.read([b"2"]) == (2,)

    def test_a_key_decides_what_is_the_same(self) -> None:
        cache = RowCache("scontrol", bytes.decode)
        first = cache.read([b"n1 load=1"], [b"n1"])
        assert cache.read([b"n1 load=2"], [b"n1"]) == first
