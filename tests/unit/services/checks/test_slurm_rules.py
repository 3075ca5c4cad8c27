"""What the doctor thinks of Slurm's settings: every rule by its table."""

import pytest

from kqi_hub.domain.cluster import Node
from kqi_hub.domain.health import ClusterRecord, Credential, Process
from kqi_hub.services.checks import slurm
from kqi_hub.services.checks.finding import Finding, Level

KQI = Process(990, "kqi", 990)


def node(name: str, state: str = "idle", reason: str = "", *flags: str) -> Node:
    return Node(name, state, flags, ("cpu",), 1, 0, 1, 0, reason=reason)


def says(finding: Finding, level: str, *words: str) -> None:
    assert finding.level == level
    text = f"{finding.seen} {finding.todo}"
    for word in words:
        assert word in text
    assert bool(finding.todo) == (finding.level in (Level.WARN, Level.FAIL))


@pytest.mark.parametrize(
    ("client", "server", "level", "word"),
    [
        ("22.05.8", "22.05.8", "ok", "22.05.8"),
        ("26.05.0-0rc1", "26.05.0-0rc1", "ok", "26.05"),
        ("22.05.8", "", "ok", "22.05.8"),
        ("21.08.8", "21.08.8", "warn", "older than 22.05"),
        ("20.11.9", "22.05.8", "warn", "the programs here are 20.11.9"),
        ("23.02.1", "22.05.8", "warn", "the programs here are 23.02.1"),
        ("nonsense", "", "warn", "unknown"),
    ],
)
def test_version(client: str, server: str, level: str, word: str) -> None:
    config = {"SLURM_VERSION": server} if server else {}
    says(slurm.judge_version(client, config), level, word)


def test_nodes_that_take_no_jobs_are_named_with_their_reason() -> None:
    nodes = [
        node("a"),
        node("b", "down", "disk\nbroken"),
        node("c", "idle", "", "DRAIN"),
    ]
    says(slurm.judge_nodes(nodes), "warn", "1 of 3", "b (disk)", "c (idle DRAIN)")


def test_many_closed_nodes_stay_one_line() -> None:
    nodes = [node("up"), *(node(f"n{i}", "down", "x" * 500) for i in range(3000))]
    finding = slurm.judge_nodes(nodes)
    says(finding, "warn", "1 of 3001", "…")
    assert len(finding.seen) < 500


def test_all_nodes_closed_or_none_at_all_fails() -> None:
    says(slurm.judge_nodes([node("a", "down")]), "fail", "0 of 1")
    says(slurm.judge_nodes([]), "fail", "none")
    says(slurm.judge_nodes([node("a")]), "ok", "1 of 1")


@pytest.mark.parametrize(
    ("real", "known", "level", "words"),
    [
        ("gpu1", [ClusterRecord("gpu1", "10.0.0.1")], "ok", ()),
        ("gpu1", [ClusterRecord("gpu1", "")], "warn", ("not registered",)),
        ("gpu1", [ClusterRecord("other", "h")], "fail", ("sacctmgr add cluster gpu1",)),
        ("gpu1", [], "fail", ("knows no gpu1",)),
        ("real", [ClusterRecord("gpu1", "h")], "fail", ('name = "real"',)),
    ],
)
def test_accounting(
    real: str, known: list[ClusterRecord], level: str, words: tuple[str, ...]
) -> None:
    finding = slurm.judge_accounting("gpu1", {"ClusterName": real}, known)
    words = tuple(
        word.replace("not registered", "has not registered") for word in words
    )
    says(finding, level, *words)


@pytest.mark.parametrize(
    ("value", "level", "word"),
    [
        ("associations,limits,qos,safe", "ok", "safe"),
        ("Associations, Limits ,QOS", "ok", "limits"),
        ("associations,limits", "warn", "qos"),
        ("associations", "warn", "limits and qos"),
        ("none", "fail", "nothing is enforced"),
        ("", "fail", "AccountingStorageEnforce="),
        ("wckeys", "fail", "without an account"),
    ],
)
def test_enforcement(value: str, level: str, word: str) -> None:
    says(slurm.judge_enforcement({"AccountingStorageEnforce": value}), level, word)


@pytest.mark.parametrize(
    ("hides", "billing", "process", "admin_level", "level", "word"),
    [
        ("none", "none", KQI, "", "ok", "hides nothing"),
        ("events,users", "users", KQI, "", "ok", "hides nothing"),
        ("jobs", "none", KQI, "None", "fail", "modify user kqi set adminlevel"),
        ("jobs", "none", KQI, "", "fail", "add user kqi account=root adminlevel"),
        ("nodes,partitions", "none", KQI, "", "fail", "nodes, partitions"),
        ("none", "jobs,usage", KQI, "", "fail", "jobs, usage"),
        ("jobs", "jobs", KQI, "Operator", "ok", "sees it all the same"),
        ("jobs", "jobs", KQI, "Administrator", "ok", "sees it"),
        ("jobs", "none", Process(0, "root", 990), "", "ok", "root sees it"),
        ("jobs", "none", Process(64030, "slurm", 990), "", "ok", "slurm sees it"),
    ],
)
def test_privacy(
    hides: str, billing: str, process: Process, admin_level: str, level: str, word: str
) -> None:
    config = {"PrivateData": hides, "SlurmUser": "slurm(64030)"}
    finding = slurm.judge_privacy(
        config, {"PrivateData": billing}, process, admin_level
    )
    says(finding, level, word)


@pytest.mark.parametrize(
    ("value", "level"),
    [("300 sec", "ok"), ("121 sec", "ok"), ("120 sec", "warn"), ("2", "warn")],
)
def test_memory_of_jobs(value: str, level: str) -> None:
    says(slurm.judge_memory({"MinJobAge": value}, 120.0), level)


def test_unknown_memory_of_jobs_is_a_warning() -> None:
    says(slurm.judge_memory({}, 120.0), "warn", "unknown")


@pytest.mark.parametrize(
    ("controller", "answered", "level", "word"),
    [
        (1000, 1000.1, "ok", "agree"),
        (1001, 1000.0, "ok", "agree"),
        (1010, 1009.0, "ok", "agree"),
        (1020, 1000.1, "warn", "20 s ahead of"),
        (970, 1000.1, "warn", "30 s behind"),
        (1300, 1000.1, "fail", "300 s ahead of"),
        (0, 1000.1, "fail", "behind"),
    ],
)
def test_clock(controller: float, answered: float, level: str, word: str) -> None:
    says(slurm.judge_clock(controller, 1000.0, answered), level, word)


@pytest.mark.parametrize(
    ("credential", "level", "word"),
    [
        (Credential("Success (0)", 990), "ok", "for kqi"),
        (Credential("Success (0)", None), "ok", "for kqi"),
        (Credential("Success (0)", 0), "fail", "came back as 0"),
        (Credential("Rewound credential (16)", None), "fail", "Rewound"),
        (Credential("", None), "fail", "said nothing"),
    ],
)
def test_munge(credential: Credential, level: str, word: str) -> None:
    says(slurm.judge_munge(credential, KQI), level, word)
