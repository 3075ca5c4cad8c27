"""Argument lists."""

import pytest

from kqi_hub.domain.errors import InvalidInput
from kqi_hub.slurm import commands
from kqi_hub.slurm.rows import Tokens

T = Tokens("xFIELD", "xROW")


def test_jobs_are_asked_for_once_each_with_random_separators() -> None:
    argv = commands.list_jobs(T)
    assert argv[0] == "squeue"
    assert {"--all", "--states=all", "--array-unique", "--noheader"} <= set(argv)
    fields = argv[-1].removeprefix("--Format=").split(",")
    assert fields[:2] == ["JobID:0|", "ArrayJobID:0|"]
    assert "Name:0xFIELD" in fields
    assert fields[-1] == "Comment:0xROW"
    # What a person may have chosen never ends with the separator that all may know.
    named = {"Name", "Comment", "Account", "Partition", "QOS", "Reason", "Dependency"}
    assert not any(
        field.split(":")[0] in named for field in fields if field.endswith("|")
    )


def test_the_environment_is_small_and_makes_times_epoch_seconds() -> None:
    variables = commands.environment(None)
    assert variables["SLURM_TIME_FORMAT"] == "%s"
    assert variables["TZ"] == "UTC"
    assert variables["LC_ALL"] == "C.UTF-8"
    assert set(variables) <= {
        "LC_ALL",
        "PATH",
        "SLURM_TIME_FORMAT",
        "TZ",
        "SLURM_BITSTR_LEN",
    }


def test_accounting_is_asked_about_allocations_and_every_run() -> None:
    argv = commands.ended_jobs([3, 12], T)
    assert {"--allocations", "--duplicates", "--allusers", "--parsable"} <= set(argv)
    assert {"--jobs=3,12", "--delimiter=xFIELD"} <= set(argv)


def test_a_lookup_by_name_says_since_when_in_utc() -> None:
    argv = commands.find_recorded("alice", "kqi-1", 1795253320.9, T)
    assert {"--user=alice", "--name=kqi-1", "--starttime=2026-11-21T09:28:40"} <= set(
        argv
    )
    assert "--starttime=1970-01-01T00:00:00" in commands.find_recorded("a", "b", -5, T)


@pytest.mark.parametrize(
    "name", ["", "a,b", "a b", "ü", "a\n", "a|b", "a;b", "%", "x" * 129]
)
def test_no_name_is_looked_up_that_slurm_would_split_or_rewrite(name: str) -> None:
    with pytest.raises(InvalidInput, match="name"):
        commands.find_live("alice", name, T)
    with pytest.raises(InvalidInput, match="user"):
        commands.find_recorded(name, "kqi-1", 0, T)


def test_a_name_that_looks_like_an_option_is_only_a_value() -> None:
    assert "--name=--help" in commands.find_live("alice", "--help", T)


def test_associations_are_asked_for_one_cluster() -> None:
    assert "cluster=demo" in commands.list_associations("demo")
