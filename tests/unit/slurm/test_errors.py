"""What Slurm says, and which error it becomes. The texts are from 22.05, as printed."""

from pathlib import Path

import pytest

from kqi_hub.domain.errors import (
    ClusterError,
    ClusterRefused,
    ClusterTimedOut,
    ClusterUnreachable,
    NoSuchJob,
    NotYourJob,
)
from kqi_hub.domain.phrase import Phrase
from kqi_hub.i18n import texts
from kqi_hub.slurm.errors import control_error, reading_error, slurm_words
from kqi_hub.slurm.sayings import SAYINGS, Cause

CATALOGUES = Path(__file__).parents[3] / "hub_config/translations"
TIMED_OUT = "Socket timed out on send/recv operation"
DEAD = "Unable to contact slurm controller (connect failure)"
FAILED = "sbatch: error: Batch job submission failed: "

# Reading: squeue, scontrol show, sacct and sacctmgr.
READING = [
    (f"slurm_load_jobs error: {TIMED_OUT}", ClusterTimedOut),
    (f"slurm_load_node error: {TIMED_OUT}", ClusterTimedOut),
    (f"slurm_load_jobs error: {DEAD}", ClusterUnreachable),
    (f"slurm_load_partitions error: {DEAD}", ClusterUnreachable),
    (
        "squeue: error: If munged is up, restart with --num-threads=10\n"
        "squeue: error: Munge encode failed: Failed to access "
        '"/run/munge/munge.socket.2": '
        "No such file or directory (Did you start munged?)\n"
        "slurm_load_jobs error: Protocol authentication error",
        ClusterUnreachable,
    ),
    (
        "squeue: error: resolve_ctls_from_dns_srv: res_nsearch error: Unknown host\n"
        "squeue: fatal: Could not establish a configuration source",
        ClusterUnreachable,
    ),
    (
        "sacct: error: slurm_persist_conn_open_without_init: failed to open persistent "
        "connection to host:127.0.0.1:6819: Connection refused\n"
        "sacct: error: Problem talking to the database: Connection refused",
        ClusterUnreachable,
    ),
    (
        "sacct: error: slurm_persist_conn_open: No response to persist_init\n"
        "sacct: error: Sending PersistInit msg: Resource temporarily unavailable\n"
        "sacct: error: Problem talking to the database: "
        "Resource temporarily unavailable",
        ClusterTimedOut,
    ),
    ("squeue: error: Invalid user: nosuchuser", ClusterError),
    ("squeue: unrecognized option '--array-unique'", ClusterError),
]


@pytest.mark.parametrize(("stderr", "error_class"), READING)
def test_a_failed_reading_is_told_by_its_cause(
    stderr: str, error_class: type[ClusterError]
) -> None:
    error = reading_error("squeue", stderr)
    assert type(error) is error_class
    assert "squeue" in error.message


def test_an_unreachable_slurm_comes_with_what_an_operator_can_do() -> None:
    for stderr, error_class in READING:
        if error_class is not ClusterError:
            assert reading_error("squeue", stderr).hint


# Acting: sbatch, scancel and scontrol.
ACTING = [
    (FAILED + TIMED_OUT, ClusterTimedOut),
    (f"scancel: error: Kill job error on job id 7: {TIMED_OUT}", ClusterTimedOut),
    # scontrol says this of a dead and of a hanging controller alike.
    ("Unexpected message received for job 7", ClusterTimedOut),
    ("Unexpected message received for job 6\n"
     "slurm_suspend error: Unexpected message received", ClusterTimedOut),
    (FAILED + "Zero Bytes were transmitted or received", ClusterTimedOut),
    (
        "slurm_msg_sendto: address:port=127.0.0.1:22881 msg_type=4003: Unexpected "
        "missing socket error; Unexpected missing socket error",
        ClusterTimedOut,
    ),
    (FAILED + DEAD, ClusterUnreachable),
    (f"scancel: error: Kill job error on job id 7: {DEAD}", ClusterUnreachable),
    (FAILED + "Protocol authentication error", ClusterUnreachable),
    ("scancel: error: Kill job error on job id 1: Access/permission denied",
     NotYourJob),
    ("Access/permission denied for job 7", NotYourJob),
    ("Invalid user id for job 7\nslurm_suspend error: Invalid user id", NotYourJob),
    ("scancel: error: Kill job error on job id 9: Invalid job id specified", NoSuchJob),
    ("Invalid job id specified for job 9\n"
     "slurm_suspend error: Invalid job id specified", NoSuchJob),
    ("scancel: error: Invalid job id abc", NoSuchJob),
    ("Job has already finished for job 1", ClusterRefused),
    ("Job is pending execution for job 7", ClusterRefused),
    ("Requested operation is presently disabled for job 7", ClusterRefused),
    ("9986_1-16,18-30: Job is pending execution", ClusterRefused),
    ("something that no release has said yet", ClusterRefused),
    ("", ClusterRefused),
]  # fmt: skip


@pytest.mark.parametrize(("stderr", "error_class"), ACTING)
def test_a_deed_that_failed_is_told_by_its_cause(
    stderr: str, error_class: type[ClusterError]
) -> None:
    error = control_error(Phrase("cancel job 7"), stderr)
    assert type(error) is error_class
    assert "cancel job 7" in error.message


# A person can do something about each of these.
REFUSALS = [
    ("sbatch: error: invalid partition specified: nope\n"
     f"{FAILED}Invalid partition name specified", "queue"),
    (f"{FAILED}Invalid account or account/partition combination specified", "tenant"),
    (f"{FAILED}Invalid qos specification", "QOS"),
    (f"sbatch: error: QOSMaxSubmitJobPerUserLimit\n{FAILED}Job violates accounting/QOS "
     "policy (job submit limit, user's size and/or time limits)", "limit"),
    (f"sbatch: error: AssocMaxSubmitJobLimit\n{FAILED}Job violates accounting/QOS "
     "policy (job submit limit, user's size and/or time limits)", "limit"),
    ("sbatch: error: Memory specification can not be satisfied\n"
     f"{FAILED}Requested node configuration is not available", "fewer"),
    (f"{FAILED}Requested node configuration is not available", "fewer"),
    ("sbatch: error: Invalid generic resource (gres) specification", "fewer"),
    ("sbatch: error: Invalid --time specification", "time"),
    (f"{FAILED}Requested time limit is invalid (missing or exceeds some limit)",
     "time"),
    (f"{FAILED}Job dependency problem", "afterok"),
    (f"{FAILED}Invalid node name specified", "nodes"),
    (f"{FAILED}Requested reservation is invalid", "out"),
    (f"{FAILED}Invalid license specification", "license"),
    (f"{FAILED}Invalid feature specification", "feature"),
    (f"{FAILED}Invalid job array specification", "MaxArraySize"),
    ("sbatch: error: This does not look like a batch script.  The first\n"
     "sbatch: error: line must start with #! followed by the path to an interpreter.\n"
     "sbatch: error: For instance: #!/bin/sh", "#!"),
    ("sbatch: error: Batch script contains DOS line breaks (\\r\\n)\n"
     "sbatch: error: instead of expected UNIX line breaks (\\n).", "Unix"),
    ("sbatch: error: Batch script is empty!", "#!"),
    ("sbatch: error: The Slurm controller does not allow scripts that\n"
     "sbatch: error: contain a NULL character '\\0'.", "NUL"),
    (f"{FAILED}Pathname of a file, directory or other parameter too long", "Shorten"),
]  # fmt: skip


@pytest.mark.parametrize(("stderr", "word"), REFUSALS)
def test_a_refusal_keeps_slurms_words_and_says_what_to_do(
    stderr: str, word: str
) -> None:
    error = control_error(Phrase("submit job x"), stderr)
    assert isinstance(error, ClusterRefused)
    assert word in error.hint
    assert error.reason == slurm_words(stderr)
    assert error.reason in error.message
    assert "sbatch" not in error.reason


def test_a_refused_submission_is_said_in_one_line() -> None:
    stderr = REFUSALS[3][0]
    assert slurm_words(stderr) == (
        "QOSMaxSubmitJobPerUserLimit; Job violates accounting/QOS policy "
        "(job submit limit, user's size and/or time limits)"
    )


def test_the_gravest_of_several_complaints_decides() -> None:
    denied = "scancel: error: Kill job error on job id 1: Access/permission denied\n"
    lost = f"scancel: error: Kill job error on job id 2: {TIMED_OUT}\n"
    assert type(control_error(Phrase("cancel"), denied + lost)) is ClusterTimedOut


@pytest.mark.parametrize(
    "stderr",
    ["\x1b[31mred\x1b[0m", "\x00\x01", "bell\x07", "\ud800", "a\u202eb", "x" * 100_000],
)
def test_what_slurm_says_is_safe_to_show(stderr: str) -> None:
    words = slurm_words(stderr)
    assert len(words) <= 600
    assert words.isprintable()


def test_an_uncertain_deed_says_that_it_may_have_been_done() -> None:
    assert (
        "may have been done"
        in control_error(Phrase("submit job x"), FAILED + TIMED_OUT).hint
    )
    assert (
        "Nothing was done" in control_error(Phrase("submit job x"), FAILED + DEAD).hint
    )


@pytest.mark.parametrize("language", ["ja", "ko"])
def test_slurms_words_stand_inside_a_sentence_of_the_readers_language(
    language: str,
) -> None:
    reader = texts(CATALOGUES, language)
    error = control_error(Phrase("submit job {job}", job="{x}"), f"{FAILED}Invalid qos")
    assert "Invalid qos" in reader.message(error)
    assert "{x}" in reader.message(error)
    assert "Slurm refused" not in reader.message(error)
    assert "submit job" not in reader.message(error)
    assert reader.hint(error) != error.hint


@pytest.mark.parametrize("language", ["ja", "ko"])
def test_advice_inside_a_hint_is_said_in_the_readers_language(language: str) -> None:
    error = control_error(Phrase("hold job {job}", job=7), FAILED + DEAD)
    hint = texts(CATALOGUES, language).hint(error)
    assert "scontrol ping" in hint
    assert "operator" not in hint


def test_no_saying_hides_behind_an_earlier_one() -> None:
    for place, saying in enumerate(SAYINGS):
        earlier = [one.text for one in SAYINGS[:place] if one.text in saying.text]
        assert not earlier, saying


def test_every_refusal_and_every_outage_says_what_to_do() -> None:
    silent = {Cause.NOT_YOURS, Cause.NO_SUCH_JOB}
    assert all(saying.hint for saying in SAYINGS if saying.cause not in silent)
