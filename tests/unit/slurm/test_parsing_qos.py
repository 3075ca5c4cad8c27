"""QOS out of sacctmgr's lines: each whole, or an error that names it."""

import pytest

from kqi_hub.domain.cluster import Qos
from kqi_hub.domain.errors import ClusterError
from kqi_hub.slurm import commands
from kqi_hub.slurm.parsing_qos import read_qos

PLAIN = "normal|||||||||"


def test_a_qos_without_limits_has_none() -> None:
    assert read_qos(f"{PLAIN}\n".encode()) == (Qos("normal"),)
    assert read_qos(b"") == ()


def test_a_limit_that_is_lifted_is_none() -> None:
    [read] = read_qos(b"x||cpu=-1,mem=2G|||||||")
    assert read.grp_tres == (("mem", 2048),)


@pytest.mark.parametrize(
    "line",
    [
        "normal||||||||",
        "a|b|||||||||",
        "x||lots|||||||",
        "x|||||||many||",
        "x|||||||||soon",
        "\0",
        "error: no permission",
    ],
)
def test_a_line_that_is_no_qos_is_an_error_that_shows_it(line: str) -> None:
    with pytest.raises(ClusterError, match="sacctmgr"):
        read_qos(f"{PLAIN}\n{line}\n".encode())


def test_the_question_changes_nothing_and_names_its_fields() -> None:
    argv = commands.list_qos()
    assert argv[0] == "sacctmgr"
    assert {"--readonly", "--parsable2", "qos"} <= set(argv)
    assert argv[-1].removeprefix("format=").split(",") == list(commands.QOS_FIELDS)
