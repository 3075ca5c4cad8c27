"""Limits of accounts as sacctmgr and scontrol have them; texts of a real 22.05.8."""

from pathlib import Path

import pytest

from kqi_hub.domain.errors import ClusterError, InvalidInput
from kqi_hub.slurm.limits import CliLimits, read_used_minutes
from kqi_hub.slurm.runner import Programs

HEAD = "Current Association Manager state\n\nAssociation Records\n\n"
ROW = (
    "ClusterName=demo Account={account} UserName={user} Partition= Priority=0 ID=4 "
    "UsageRaw/Norm/Efctv=3974.72/1.00/1.00 ParentAccount=root(1) Lft=4 DefAssoc=No "
    "GrpTRES=cpu=80(0),mem=N(0),billing=N(7),gres/gpu=4(0) "
    "GrpTRESMins=cpu=N(66),mem=N(8424),node=N(4),billing={limit}({used}),gres/gpu=N(0) "
    "GrpTRESRunMins=cpu=N(0),billing=N(9) MaxJobs= MinPrioThresh= \n"
)
DESK = CliLimits("demo", Programs(Path("/nowhere"), {}))


def test_what_accounts_have_used_is_read_and_peoples_own_is_not() -> None:
    text = HEAD + "".join(
        (
            ROW.format(account="root", user="", limit="N", used=71),
            ROW.format(account="nlp", user="", limit="5", used=65),
            ROW.format(account="nlp", user="bob(20002)", limit="N", used=64),
        )
    )
    assert read_used_minutes(text) == {"root": 71, "nlp": 65}


def test_an_answer_without_billing_is_no_answer() -> None:
    with pytest.raises(ClusterError):
        read_used_minutes(
            "ClusterName=demo Account=nlp UserName= GrpTRESMins=cpu=N(1)\n"
        )


def test_limits_at_once_and_of_minutes_are_set_together() -> None:
    argv = DESK.command("nlp", {"cpu": 64, "mem": None, "gres/gpu": 4, "billing": 0})
    assert argv == (
        *("sacctmgr", "--immediate", "modify", "account", "where", "name=nlp"),
        *("cluster=demo", "set", "GrpTRES=cpu=64,mem=-1,gres/gpu=4"),
        "GrpTRESMins=billing=0",
    )


@pytest.mark.parametrize(
    "account",
    ["", "nlp,vision", "a b", "-x", "a\n", "a=b", "nlp cluster", "é", "a" * 65],
)
def test_what_is_no_account_never_reaches_sacctmgr(account: str) -> None:
    with pytest.raises(InvalidInput):
        DESK.command(account, {"cpu": 1})
