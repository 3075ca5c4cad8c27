"""Slurm's words for the end of a job, in words that a person understands.

A session keeps Slurm's own word. These are the words of 22.05 to 25.11, the states that
say more than the cause does among them.
"""

import re
from collections.abc import Mapping
from typing import Final

from kqi_hub.domain.job import EndedJob
from kqi_hub.domain.phrase import Phrase
from kqi_hub.domain.reason import Kind
from kqi_hub.domain.reasons import explain_reason

_NODE: Final = Phrase("Its node failed or was taken out of service")
_TIME: Final = Phrase("Its time was over")
_DEADLINE: Final = Phrase("It could not be over before its deadline")
_MEMORY: Final = Phrase("It used more memory than it had asked for")
_ENDS: Final[Mapping[str, Phrase]] = {
    "NonZeroExitCode": Phrase("Its program ended with an error"),
    "TimeLimit": _TIME,
    "InactiveLimit": Phrase("It did nothing for longer than Slurm allows"),
    "OutOfMemory": _MEMORY,
    "NodeDown": _NODE,
    "DownNodes": _NODE,
    "JobLaunchFailure": Phrase("Slurm could not start it on its node"),
    "SystemFailure": Phrase("Something in Slurm itself failed"),
    "DeadLine": _DEADLINE,
    "PartitionDown": Phrase("Its queue was closed"),
    "BadConstraints": Phrase("No node was as it asked for"),
    "InvalidAccount": Phrase("Its tenant was not known any more"),
    "InvalidQOS": Phrase("Its QOS could not be used any more"),
    "DependencyNeverSatisfied": Phrase("The job that it waited for failed"),
    "BurstBufferOperation": Phrase("Its data could not be put into the burst buffer"),
    "JobHoldMaxRequeue": Phrase("It was started too often without success"),
    # States, for an end of which Slurm gives no reason.
    "COMPLETED": Phrase("Its program ended without an error"),
    "FAILED": Phrase("Its program ended with an error"),
    "TIMEOUT": _TIME,
    "CANCELLED": Phrase("It was cancelled"),
    "OUT_OF_MEMORY": _MEMORY,
    "NODE_FAIL": _NODE,
    "BOOT_FAIL": Phrase("Its node did not come up"),
    "DEADLINE": _DEADLINE,
    "PREEMPTED": Phrase("Slurm ended it to make room for a job that goes first"),
    "REVOKED": Phrase("Another cluster took it over"),
}
_STILL_WAITED: Final = Phrase("It still waited for its turn when it ended")
# RaisedSignal:15(Terminated), in later releases RaisedSignal alone.
_SIGNAL: Final = re.compile(r"RaisedSignal(?::(\d+)(?:\([^)]*\))?)?", re.ASCII)
# States that say no more than the cause that is made of them.
_PLAIN: Final = frozenset(
    {"COMPLETED", "FAILED", "TIMEOUT", "CANCELLED", "OUT_OF_MEMORY", "NODE_FAIL"}
)
_NO_REASON: Final = frozenset({"", "None"})


def end_in_words(word: str) -> Phrase | None:
    """Return what Slurm's word for an end means; None where it is no such word.

    The phrase is a sentence without its full stop: the word may follow in brackets.
    """
    known = _ENDS.get(word)
    if known is not None:
        return known
    signal = _SIGNAL.fullmatch(word)
    if signal is not None:
        if signal[1] is None:
            return Phrase("Its program was ended by a signal")
        return Phrase("Its program was ended by signal {number}", number=signal[1])
    # A job that is cancelled while it waits keeps its reason to wait.
    waited = word not in _NO_REASON and explain_reason(word).kind is not Kind.ODD
    return _STILL_WAITED if waited else None


def word_of_end(state: str, reason: str) -> str:
    """Return what a session keeps of its job's end: the word that says most."""
    if reason not in _NO_REASON:
        return reason
    return "" if state in _PLAIN else state


def word_of_record(end: EndedJob) -> str:
    """Return the same of a job that only accounting knows."""
    if end.state == "FAILED":
        return f"RaisedSignal:{end.signal}" if end.signal else end.state
    return word_of_end(end.state, "")
