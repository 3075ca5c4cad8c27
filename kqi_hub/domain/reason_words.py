"""The words for Slurm's reasons, one by one.

They are those of Slurm 22.05 to 25.11 (src/common/job_state_reason.c), without limits,
which kqi_hub/domain/reason_limits.py puts into words by their parts.
"""

from collections.abc import Mapping
from typing import Final

from kqi_hub.domain.phrase import Phrase
from kqi_hub.domain.reason import LESS, Kind, Reason

_WAIT: Final = Phrase("Nothing is wrong: it starts by itself.")
_ASK: Final = Phrase("Ask the operators.")
_RELEASE: Final = Phrase("Release it to let it start, or cancel it.")

_TURN = Reason(
    Kind.TURN, Phrase("Its queue is full: it is next when something is free."), _WAIT
)
_FAILED_START = Reason(
    Kind.HELD,
    Phrase("Its start failed, and Slurm holds it now."),
    Phrase("Read its log; release it to try again, or cancel it."),
    True,
)
ENTRIES: Final[Mapping[str, Reason]] = {
    "": Reason(Kind.TURN, Phrase("Slurm has not looked at it yet."), _WAIT),
    "Resources": _TURN,
    "Priority": Reason(
        Kind.TURN,
        Phrase("Other jobs are before it in the queue."),
        Phrase("It moves up by itself. A smaller or shorter job may start earlier."),
        True,
    ),
    "SchedDefer": Reason(
        Kind.TURN, Phrase("Slurm is to start it in its next round."), _WAIT
    ),
    "Prolog": Reason(
        Kind.STARTING, Phrase("Its node is being made ready for it."), _WAIT
    ),
    "Cleaning": Reason(
        Kind.STARTING,
        Phrase("It was put back into the queue, and its last run is tidied up."),
        _WAIT,
    ),
    "FedJobLock": Reason(
        Kind.STARTING, Phrase("The clusters agree which of them runs it."), _WAIT
    ),
    "Dependency": Reason(
        Kind.OTHERS,
        Phrase("It waits for another job to end."),
        Phrase("It starts by itself afterwards."),
    ),
    "DependencyNeverSatisfied": Reason(
        Kind.NEVER,
        Phrase("The job that it waits for did not end as it was to, or is gone."),
        Phrase("It will never start. Cancel it, and submit it again."),
        True,
    ),
    "BeginTime": Reason(
        Kind.TIME,
        Phrase("It is not to start before its begin time."),
        Phrase("A job that was put back into the queue waits some minutes, too."),
    ),
    "DeadLine": Reason(
        Kind.NEVER,
        Phrase("It cannot be over before its deadline any more."),
        Phrase("Cancel it, and submit it again with a later deadline."),
        True,
    ),
    "JobHeldUser": Reason(
        Kind.HELD, Phrase("You hold it, or submitted it held."), _RELEASE, True
    ),
    "JobHeldAdmin": Reason(
        Kind.HELD,
        Phrase("The operators hold it, or Slurm does after it failed to start."),
        _ASK,
    ),
    "JobHoldMaxRequeue": Reason(
        Kind.HELD,
        Phrase("It was started too often without success, and Slurm holds it now."),
        Phrase("Find out why it fails; then release it, or cancel it."),
        True,
    ),
    "JobArrayTaskLimit": Reason(
        Kind.LIMIT,
        Phrase("As many tasks of its array run as you allowed at the same time."),
        Phrase("It starts when one of them ends; the limit is yours to raise."),
        True,
    ),
    "ReqNodeNotAvail": Reason(
        Kind.SITE,
        Phrase("A node that it needs is down, reserved, or set aside."),
        Phrase("Wait, or submit it without naming the node."),
        True,
    ),
    "NodeDown": Reason(Kind.SITE, Phrase("A node that it needs is down."), _ASK),
    "FrontEndDown": Reason(
        Kind.SITE, Phrase("The machine that would start it is down."), _ASK
    ),
    "PartitionDown": Reason(
        Kind.SITE,
        Phrase("Its queue is closed: nothing starts there now."),
        Phrase("Wait until operators open it, or choose another queue."),
        True,
    ),
    "PartitionInactive": Reason(
        Kind.SITE,
        Phrase("Its queue is switched off: nothing starts there now."),
        Phrase("Choose another queue, or ask the operators."),
        True,
    ),
    "PartitionTimeLimit": Reason(
        Kind.NEVER,
        Phrase("It asks for more time than its queue allows."),
        Phrase("It will never start so. Cancel it, and ask for less time."),
        True,
    ),
    "PartitionNodeLimit": Reason(
        Kind.NEVER,
        Phrase("It asks for more nodes than its queue allows, or than are in service."),
        LESS,
        True,
    ),
    "PartitionConfig": Reason(
        Kind.NEVER,
        Phrase("It asks for something that its queue is not set up for."),
        LESS,
        True,
    ),
    "MaxMemPerLimit": Reason(
        Kind.NEVER,
        Phrase("It asks for more memory than its queue gives one CPU or node."),
        LESS,
        True,
    ),
    "BadConstraints": Reason(
        Kind.NEVER,
        Phrase("No node is as it asks for."),
        Phrase("It will never start so. Cancel it, and ask for something else."),
        True,
    ),
    "Constraints": Reason(
        Kind.NEVER,
        Phrase("No node is as it asks for."),
        Phrase("It will never start so. Cancel it, and ask for something else."),
        True,
    ),
    "AccountNotAllowed": Reason(
        Kind.NEVER,
        Phrase("Its tenant may not use its queue."),
        Phrase("Cancel it, and choose another queue or tenant."),
        True,
    ),
    "QOSNotAllowed": Reason(
        Kind.NEVER,
        Phrase("Its QOS may not be used in its queue."),
        Phrase("Cancel it, and choose another queue or QOS."),
        True,
    ),
    "InvalidAccount": Reason(
        Kind.NEVER,
        Phrase("Its tenant is not known any more, or you have left it."),
        Phrase("Cancel it, and submit it in another tenant."),
        True,
    ),
    "InvalidQOS": Reason(
        Kind.NEVER,
        Phrase("You may not use its QOS any more."),
        Phrase("Cancel it, and submit it with another QOS."),
        True,
    ),
    "Licenses": Reason(
        Kind.TURN, Phrase("All licences that it needs are in use."), _WAIT
    ),
    "Reservation": Reason(
        Kind.TIME,
        Phrase("It waits for its reservation to begin."),
        Phrase("It starts by itself then."),
    ),
    "ReservationDeleted": Reason(
        Kind.NEVER,
        Phrase("Its reservation was deleted."),
        Phrase("Cancel it, and submit it without the reservation."),
        True,
    ),
    "ReservationInvalid": Reason(
        Kind.NEVER,
        Phrase("Its reservation cannot be used."),
        Phrase("Cancel it, and submit it without the reservation."),
        True,
    ),
    "BurstBufferResources": Reason(
        Kind.TURN, Phrase("The burst buffer has no room for it now."), _WAIT
    ),
    "BurstBufferStageIn": Reason(
        Kind.STARTING, Phrase("Its data is copied into the burst buffer."), _WAIT
    ),
    "BurstBufferOperation": Reason(
        Kind.HELD, Phrase("Its data could not be put into the burst buffer."), _ASK
    ),
    "PowerNotAvail": Reason(
        Kind.TURN, Phrase("There is not enough electric power for it now."), _WAIT
    ),
    "PowerReserved": Reason(
        Kind.TURN, Phrase("The power that it needs is reserved for others."), _WAIT
    ),
    "QOSUsageThreshold": Reason(
        Kind.LIMIT,
        Phrase("Your tenant has used so much lately that others go first."),
        Phrase("It starts when that use has become older."),
    ),
    "AccountingPolicy": Reason(
        Kind.LIMIT, Phrase("A limit on your tenant or on you keeps it waiting."), _ASK
    ),
    "JobLaunchFailure": _FAILED_START,
    "SystemFailure": _FAILED_START,
    # What ended the run before, of a job that waits again.
    "NonZeroExitCode": _FAILED_START,
    "RaisedSignal": _FAILED_START,
    "OutOfMemory": _FAILED_START,
    "TimeLimit": _FAILED_START,
    "InactiveLimit": _FAILED_START,
    # Of machines that Slurm no longer supports; 22.05 still has the words.
    "BlockMaxError": Reason(Kind.SITE, Phrase("Too many parts have failed."), _ASK),
    "BlockFreeAction": Reason(
        Kind.STARTING, Phrase("Another job frees what it needs."), _WAIT
    ),
}

# What squeue says in whole sentences in place of a reason, by how it begins.
SENTENCES: Final[tuple[tuple[str, Reason], ...]] = (
    (
        "nodes required for job are down",
        Reason(
            Kind.SITE,
            Phrase("Nodes that it needs are out of service, or kept for other jobs."),
            _WAIT,
        ),
    ),
    ("launch failed requeued held", _FAILED_START),
    ("user env retrieval failed", _FAILED_START),
    (
        "job requeued in held state",
        Reason(
            Kind.HELD,
            Phrase("It was put back into the queue, and is held there."),
            _RELEASE,
            True,
        ),
    ),
    ("reqnodenotavail", ENTRIES["ReqNodeNotAvail"]),
    ("job's qos not permitted", ENTRIES["QOSNotAllowed"]),
    ("job's account not permitted", ENTRIES["AccountNotAllowed"]),
)
