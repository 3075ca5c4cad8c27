"""Lengths of time."""

import pytest
from hypothesis import given, strategies as st

from kqi_hub.slurm.timelimit import parse_timelimit


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1-00:00:00", 86_400),
        ("2-12", 216_000),
        ("2-12:30", 217_800),
        ("01:00:00", 3_600),
        ("8:00:00", 28_800),
        ("5:00", 300),
        ("0:30", 30),
        ("30", 1_800),
        ("365-00:00:00", 31_536_000),
    ],
)
def test_a_time_limit_is_read_in_seconds(text: str, seconds: int) -> None:
    assert parse_timelimit(text) == seconds


@pytest.mark.parametrize(
    "text", ["UNLIMITED", "NONE", "", "NOT_SET", "Partition_Limit"]
)
def test_no_limit_is_none(text: str) -> None:
    assert parse_timelimit(text) is None


@pytest.mark.parametrize("text", ["junk", "-1", "1-", "1:2:3:4", "5:00 ", "١٢", "1.5"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no length of time"):
        parse_timelimit(text)


@given(st.integers(0, 400), st.integers(0, 23), st.integers(0, 59), st.integers(0, 59))
def test_what_slurm_prints_is_read_back(
    days: int, hours: int, minutes: int, s: int
) -> None:
    total = ((days * 24 + hours) * 60 + minutes) * 60 + s
    printed = (
        f"{days}-{hours:02}:{minutes:02}:{s:02}"
        if days
        else f"{hours}:{minutes:02}:{s:02}"
    )
    assert parse_timelimit(printed) == total
