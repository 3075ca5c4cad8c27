"""Associations out of sacctmgr's lines."""

import pytest

from kqi_hub.domain.errors import ClusterError
from kqi_hub.slurm.parsing_associations import read_associations

ALICE = (
    "demo|vision|alice|||high,normal||cpu=8|cpu=16,mem=32G|gres/gpu=6000"
    "|50|100|1-00:00:00"
)
NLP = "demo|nlp|||root|normal|||||||"


def test_limits_are_read_and_what_is_not_set_is_none() -> None:
    read = read_associations(f"{NLP}\n{ALICE}\n".encode(), "demo")
    nlp, alice = read.read
    assert (nlp.account, nlp.user, nlp.parent, nlp.qos) == (
        "nlp",
        "",
        "root",
        ("normal",),
    )
    assert (nlp.max_jobs, nlp.max_submit, nlp.max_time_s, nlp.grp_tres) == (
        None,
        None,
        None,
        (),
    )
    assert (alice.account, alice.user, alice.qos) == (
        "vision",
        "alice",
        ("high", "normal"),
    )
    assert alice.grp_tres == (("cpu", 8),)
    assert alice.max_tres_per_job == (("cpu", 16), ("mem", 32_768))
    assert alice.grp_tres_mins == (("gres/gpu", 6000),)
    assert (alice.max_jobs, alice.max_submit, alice.max_time_s) == (50, 100, 86_400)
    assert read.left_out == ()


@pytest.mark.parametrize(
    ("odd", "left_out"),
    [
        ("demo|odd|one|||root|normal|||||||", 1),
        ("demo|line\nbreak|||root|normal|||||||", 2),
        ("demo|x|y|||normal|||||lots||", 1),
        ("other|vision|||root|normal|||||||", 1),
    ],
)
def test_an_account_with_a_separator_in_its_name_is_left_out_alone(
    odd: str, left_out: int
) -> None:
    read = read_associations(f"{NLP}\n{odd}\n{ALICE}\n".encode(), "demo")
    assert [(one.account, one.user) for one in read.read] == [
        ("nlp", ""),
        ("vision", "alice"),
    ]
    assert len(read.left_out) == left_out


def test_no_associations_at_all_are_none() -> None:
    assert read_associations(b"", "demo").read == ()


def test_an_answer_without_one_readable_line_is_an_error() -> None:
    with pytest.raises(ClusterError, match="sacctmgr"):
        read_associations(b"usage: sacctmgr\n", "demo")
