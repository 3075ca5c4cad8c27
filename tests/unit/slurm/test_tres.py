"""Lists of trackable resources."""

import pytest
from hypothesis import given, strategies as st

from kqi_hub.slurm.tres import parse_size, parse_tres


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("", ()),
        ("(null)", ()),
        ("cpu=32,gres/gpu=4", (("cpu", 32), ("gres/gpu", 4))),
        ("cpu=1,mem=1000M,node=1", (("cpu", 1), ("mem", 1000), ("node", 1))),
        ("mem=62.50G", (("mem", 64_000),)),
        ("mem=100G", (("mem", 102_400),)),
        ("mem=1.50T", (("mem", 1_572_864),)),
        ("mem=1024K", (("mem", 1),)),
        ("mem=16", (("mem", 16),)),
        ("gres/gpu:v100=2,gres/gpu=2", (("gres/gpu:v100", 2), ("gres/gpu", 2))),
        ("cpu=-1,node=2", (("node", 2),)),
    ],
)
def test_names_and_amounts_are_read(text: str, pairs: object) -> None:
    assert parse_tres(text) == pairs


@pytest.mark.parametrize(
    "text", ["cpu", "cpu=", "=1", "cpu=x", "cpu=1,,mem=1", "cpu=1.5.2"]
)
def test_what_is_no_such_list_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"resource with an amount|no amount"):
        parse_tres(text)


@given(st.integers(0, 2**40))
def test_memory_in_whole_megabytes_is_exact(megabytes: int) -> None:
    assert parse_size(f"{megabytes}M", is_memory=True) == megabytes
    assert parse_size(str(megabytes), is_memory=True) == megabytes


def test_numbers_with_units_count_by_1024() -> None:
    assert parse_size("2K") == 2048
