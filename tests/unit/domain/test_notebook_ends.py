"""Slurm's words for an end become words for people; all others stay as they are."""

import pytest

from kqi_hub.domain.job import OVER_STATES, EndedJob
from kqi_hub.domain.notebook_ends import end_in_words, word_of_end, word_of_record

# What src/common/job_state_reason.c of 22.05 to 25.11 says of jobs that have ended.
REASONS = (
    *("NonZeroExitCode", "RaisedSignal", "TimeLimit", "InactiveLimit", "OutOfMemory"),
    *("NodeDown", "JobLaunchFailure", "SystemFailure", "DeadLine", "PartitionDown"),
    *("BadConstraints", "InvalidAccount", "InvalidQOS", "BurstBufferOperation"),
    *("DependencyNeverSatisfied", "JobHoldMaxRequeue"),
)


@pytest.mark.parametrize("word", [*REASONS, *sorted(OVER_STATES)])
def test_every_word_for_an_end_has_a_sentence_that_a_person_reads(word: str) -> None:
    said = end_in_words(word)
    assert said is not None
    assert " " in str(said)
    assert word not in str(said)
    assert not str(said).endswith(".")


@pytest.mark.parametrize(
    ("word", "number"),
    [("RaisedSignal:9(Killed)", "9"), ("RaisedSignal:53(Real-time_signal_19)", "53")],
)
def test_a_signal_is_told_with_its_number(word: str, number: str) -> None:
    assert str(end_in_words(word)) == f"Its program was ended by signal {number}"


@pytest.mark.parametrize("word", ["Resources", "Priority", "QOSMaxGRESPerUser"])
def test_a_job_cancelled_while_it_waited_says_that(word: str) -> None:
    assert "still waited" in str(end_in_words(word))


@pytest.mark.parametrize(
    "text",
    [
        *("", "None", "SomethingNew", "nonzeroexitcode"),
        *("It ended with exit code 3 before it was ready.", "RaisedSignal:x(y)"),
        "Invalid account or account/partition combination specified",
        "<b>{0.__class__}</b>",
    ],
)
def test_what_is_no_word_for_an_end_is_left_as_it_is(text: str) -> None:
    assert end_in_words(text) is None


@pytest.mark.parametrize(
    ("state", "reason", "kept"),
    [
        ("FAILED", "NonZeroExitCode", "NonZeroExitCode"),
        ("TIMEOUT", "None", ""),
        ("CANCELLED", "", ""),
        ("PREEMPTED", "None", "PREEMPTED"),
        ("BOOT_FAIL", "", "BOOT_FAIL"),
    ],
)
def test_a_session_keeps_the_word_that_says_most(
    state: str, reason: str, kept: str
) -> None:
    assert word_of_end(state, reason) == kept


@pytest.mark.parametrize(
    ("state", "signal", "kept"),
    [("FAILED", 0, "FAILED"), ("FAILED", 9, "RaisedSignal:9"), ("TIMEOUT", 0, "")],
)
def test_a_record_of_accounting_has_its_word_too(
    state: str, signal: int, kept: str
) -> None:
    assert word_of_record(EndedJob(7, state, 0, 1, 1, signal)) == kept
    assert not kept or end_in_words(kept) is not None
