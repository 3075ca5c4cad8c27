"""Every reason that Slurm knows is said in words that a person can act on."""

import re
from dataclasses import replace

import pytest

from kqi_hub.domain.queues import survey
from kqi_hub.domain.reason import Kind
from kqi_hub.domain.reasons import explain, explain_reason
from tests.fakes.people import association
from tests.fakes.queues import job, node, partition


def _names(text: str) -> list[str]:
    return text.split()


# job_reason_string() of Slurm 22.05.8, and what releases up to 25.11 have added.
OLD = _names("""
Priority Dependency Resources PartitionNodeLimit PartitionTimeLimit PartitionDown
PartitionInactive JobHeldAdmin BeginTime Licenses AssociationJobLimit
AssociationResourceLimit AssociationTimeLimit Reservation ReqNodeNotAvail JobHeldUser
FrontEndDown SchedDefer NodeDown BadConstraints SystemFailure JobLaunchFailure
NonZeroExitCode TimeLimit InactiveLimit InvalidAccount InvalidQOS QOSUsageThreshold
QOSJobLimit QOSResourceLimit QOSTimeLimit BlockMaxError BlockFreeAction Cleaning Prolog
QOSNotAllowed AccountNotAllowed DependencyNeverSatisfied JobHoldMaxRequeue
JobArrayTaskLimit BurstBufferResources BurstBufferStageIn BurstBufferOperation
PowerNotAvail PowerReserved DeadLine PartitionConfig AccountingPolicy FedJobLock
OutOfMemory MaxMemPerLimit ReservationDeleted QOSMinCpuNotSatisfied
""")
ADDED = ["Constraints", "RaisedSignal", "ReservationInvalid"]
LIMITS = _names("""
QOSGrpCpuLimit QOSGrpCPUMinutesLimit QOSGrpCPURunMinutesLimit QOSGrpJobsLimit
QOSGrpMemLimit QOSGrpNodeLimit QOSGrpSubmitJobsLimit QOSGrpWallLimit
QOSMaxCpuPerJobLimit QOSMaxCpuMinutesPerJobLimit QOSMaxNodePerJobLimit
QOSMaxWallDurationPerJobLimit QOSMaxCpuPerUserLimit QOSMaxJobsPerUserLimit
QOSMaxNodePerUserLimit QOSMaxSubmitJobPerUserLimit AssocGrpCpuLimit
AssocGrpCPUMinutesLimit AssocGrpCPURunMinutesLimit AssocGrpJobsLimit AssocGrpMemLimit
AssocGrpNodeLimit AssocGrpSubmitJobsLimit AssocGrpWallLimit AssocMaxJobsLimit
AssocMaxCpuPerJobLimit AssocMaxCpuMinutesPerJobLimit AssocMaxNodePerJobLimit
AssocMaxWallDurationPerJobLimit AssocMaxSubmitJobLimit QOSMaxCpuPerNode
AssocMaxCpuPerNode MaxCpuPerAccount MaxNodePerAccount MaxJobsPerAccount
MaxSubmitJobsPerAccount QOSMinMemory QOSMinNode AssocGrpMemMinutes AssocGrpMemRunMinutes
AssocMaxMemPerJob AssocMaxMemPerNode AssocMaxMemMinutesPerJob QOSGrpMemoryMinutes
QOSGrpMemoryRunMinutes QOSMaxMemoryPerJob QOSMaxMemoryPerNode QOSMaxMemoryPerUser
QOSMaxMemoryMinutesPerJob MaxMemoryPerAccount
""")
# The families that Slurm has for each of these resources.
FAMILIES = [
    f"{whose}{how}"
    for what in ("Unknown", "Energy", "GRES", "License", "BB", "Billing", "Node")
    for whose, how in (
        ("AssocGrp", what),
        ("AssocGrp", f"{what}Minutes"),
        ("AssocGrp", f"{what}RunMinutes"),
        ("AssocMax", f"{what}PerJob"),
        ("AssocMax", f"{what}PerNode"),
        ("AssocMax", f"{what}MinutesPerJob"),
        ("QOSGrp", what),
        ("QOSGrp", f"{what}Minutes"),
        ("QOSGrp", f"{what}RunMinutes"),
        ("QOSMax", f"{what}PerJob"),
        ("QOSMax", f"{what}PerNode"),
        ("QOSMax", f"{what}PerUser"),
        ("QOSMax", f"{what}MinutesPerJob"),
        ("QOSMin", what),
        ("Max", f"{what}PerAccount"),
    )
]


@pytest.mark.parametrize("reason", [*OLD, *ADDED, *LIMITS, *FAMILIES])
def test_every_known_reason_has_words_and_what_to_do(reason: str) -> None:
    found = explain_reason(reason)
    assert found.kind is not Kind.ODD
    assert found.hint is not None
    text = f"{found.text} {found.hint}"
    assert re.fullmatch(r"[A-Z].*\.", text)
    assert reason not in text


@pytest.mark.parametrize(
    ("reason", "kind", "part", "can_act"),
    [
        ("", Kind.TURN, "not looked", False),
        ("None", Kind.TURN, "not looked", False),
        ("Priority", Kind.TURN, "Other jobs are before", True),
        ("Resources", Kind.TURN, "next when something is free", False),
        ("JobHeldUser", Kind.HELD, "You hold it", True),
        ("JobHeldAdmin", Kind.HELD, "operators hold it", False),
        ("PartitionTimeLimit", Kind.NEVER, "more time", True),
        ("AssocGrpCpuLimit", Kind.LIMIT, "your tenant may use at once", False),
        ("AssocGrpGRES", Kind.LIMIT, "GPUs", False),
        ("AssocGrpGRESMinutes", Kind.LIMIT, "budget", False),
        ("AssocMaxJobsLimit", Kind.LIMIT, "one person may: running jobs", True),
        ("QOSMaxGRESPerUser", Kind.LIMIT, "one person may: GPUs", True),
        ("QOSGrpGRES", Kind.LIMIT, "everybody together", True),
        ("QOSMaxWallDurationPerJobLimit", Kind.NEVER, "one job may", True),
        ("QOSMinGRES", Kind.NEVER, "less than", True),
        ("MaxMemPerLimit", Kind.NEVER, "memory", True),
        ("ReqNodeNotAvail, UnavailableNodes:gpu[01-02]", Kind.SITE, "down", True),
        ("ReqNodeNotAvail,_May_be_reserved_for_other_job", Kind.SITE, "down", True),
        (
            "Nodes required for job are DOWN, DRAINED or reserved for jobs in higher "
            "priority partitions",
            Kind.SITE,
            "out of service",
            False,
        ),
        ("launch failed requeued held", Kind.HELD, "start failed", True),
        ("job_requeued_in_held_state", Kind.HELD, "held there", True),
        (
            "Job's QOS not permitted to use this partition (a100 allows high)",
            Kind.NEVER,
            "QOS",
            True,
        ),
    ],
)
def test_a_reason_says_what_it_is_and_who_can_act(
    reason: str, kind: Kind, part: str, can_act: bool
) -> None:
    found = explain_reason(reason)
    assert (found.kind, found.can_act) == (kind, can_act)
    assert part in str(found.text)


@pytest.mark.parametrize(
    "reason",
    [
        "SomethingOfSlurm27",
        "Min",
        "Grp",
        "{0.__class__}",
        "<script>alert(1)</script>",
        "a\x00b\nc\u202e",
        "x" * 10_000,
        "AssocGrpFooLimit",
        "優先度",
    ],
)
def test_an_unknown_reason_is_shown_as_it_is_short_and_in_one_line(reason: str) -> None:
    found = explain_reason(reason)
    assert found.kind is Kind.ODD
    text = str(found.text)
    assert text.isprintable()
    assert len(text) < 250
    assert text.startswith("Slurm says: ")


def test_only_a_waiting_job_is_explained_and_slurm_s_expectation_is_kept() -> None:
    assert explain(job(1, "mia", "cpu", "RUNNING")) is None
    waiting = job(
        2, "mia", "cpu", "PENDING", reason="Priority", starts_at=1_800_000_000
    )
    found = explain(waiting)
    assert found is not None
    assert (found.reason, found.starts_at) == ("Priority", 1_800_000_000)


def test_a_dependency_is_named() -> None:
    waiting = job(
        1, "mia", "cpu", "PENDING", reason="Dependency", dependency="afterok:7(unmet)"
    )
    found = explain(waiting)
    assert found is not None
    assert "afterok:7" in str(found.text)


@pytest.mark.parametrize(("most", "kind"), [(7, Kind.NEVER), (8, Kind.LIMIT)])
def test_a_limit_that_can_never_be_kept_is_told_from_one_that_is_used_up(
    most: int, kind: Kind
) -> None:
    nodes = [node("a", "x", gpus=("a100", 8))]
    # One GPU is asked for; on an exclusive queue all eight of the node are taken.
    waiting = job(1, "mia", "x", "PENDING", reason="AssocGrpGRES", gres="gpu:1")
    head = replace(association("", "vision"), grp_tres=(("gres/gpu", most),))
    known = (head, association("mia", "vision"))
    exclusive = [partition("x", nodes, exclusive=True)]
    found = explain(waiting, survey(nodes, exclusive, [waiting], known))
    assert found is not None
    assert found.kind is kind
