"""kqi price takes what sbatch takes, and writes amounts exactly."""

import click
import pytest

from kqi_hub.cli.amounts import money
from kqi_hub.cli.prices import GpuCount, JobTime


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 5400),
        ("90:30", 5430),
        ("8:00:00", 28_800),
        ("0:00:30", 30),
        ("1-0", 86_400),
        ("1-12:30", 131_400),
        ("1-12:30:15", 131_415),
        ("90m", 5400),
        ("8h", 28_800),
        ("2d", 172_800),
    ],
)
def test_times_are_those_of_sbatch(text: str, seconds: int) -> None:
    assert JobTime().convert(text, None, None) == seconds


@pytest.mark.parametrize(
    "text", ["", "0", "0:00:00", "-1", "1.5", "8:00:00:00", "h", "8x", "1-", "٣", "a\n"]
)
def test_what_is_no_time_is_told(text: str) -> None:
    with pytest.raises(click.UsageError, match="no time"):
        JobTime().convert(text, None, None)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("4", ("", 4)),
        ("a100:4", ("a100", 4)),
        ("nvidia_a100-80:1", ("nvidia_a100-80", 1)),
    ],
)
def test_gpus_are_those_of_sbatch(text: str, found: tuple[str, int]) -> None:
    assert GpuCount().convert(text, None, None) == found


@pytest.mark.parametrize("text", ["", "a100", "a100:", ":4", "-1", "a b:1", "99999"])
def test_what_are_no_gpus_is_told(text: str) -> None:
    with pytest.raises(click.UsageError, match="no GPUs"):
        GpuCount().convert(text, None, None)


@pytest.mark.parametrize(
    ("micro", "text"),
    [
        (0, "0"),
        (1, "0.000001"),
        (-1, "-0.000001"),
        (1_234_500_000, "1,234.50"),
        (1_999_999, "2"),
        (-2_000_000, "-2"),
    ],
)
def test_amounts_can_be_read(micro: int, text: str) -> None:
    assert money(micro) == text
