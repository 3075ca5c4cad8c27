"""Deeds through the door, and what its answers mean."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from kqi_hub.domain.errors import (
    ClusterError,
    ClusterRefused,
    ClusterTimedOut,
    ClusterUnreachable,
    DoorBroken,
    DoorRefused,
    DoorUnreachable,
    NoSuchJob,
    NotYourJob,
)
from kqi_hub.domain.ports import BatchScript, DoorAnswer
from kqi_hub.slurm.control import DoorControl

SCRIPT = BatchScript("kqi-1", "#!/bin/sh\n", "/scratch/alice")
TIMED_OUT = "sbatch: error: Batch job submission failed: Socket timed out on send/recv"


class AnsweringDoor:
    """A door that notes what it is asked and answers or fails as told."""

    def __init__(self, *answers: DoorAnswer | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, str, Mapping[str, object]]] = []

    async def run(
        self, verb: str, person: str, arguments: Mapping[str, object]
    ) -> DoorAnswer:
        self.asked.append((verb, person, arguments))
        answer = self.answers.pop(0) if self.answers else DoorAnswer(0, "", "")
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.mark.parametrize(
    "stdout", ["12\n", "12;demo\n", "Submitted batch job 12\n", "12"]
)
async def test_submit_returns_the_id(stdout: str) -> None:
    door = AnsweringDoor(DoorAnswer(0, stdout, ""))
    assert await DoorControl(door).submit("alice", SCRIPT) == 12
    arguments = {"name": "kqi-1", "script": "#!/bin/sh\n", "chdir": "/scratch/alice"}
    assert door.asked == [("submit", "alice", arguments)]


async def test_a_comment_travels_when_there_is_one() -> None:
    door = AnsweringDoor(DoorAnswer(0, "12\n", ""))
    await DoorControl(door).submit("alice", BatchScript("n", "#!/bin/sh\n", "/", "why"))
    assert door.asked[0][2]["comment"] == "why"


@pytest.mark.parametrize(
    "answer",
    [
        DoorAnswer(1, "", TIMED_OUT),
        DoorAnswer(0, "", "", timed_out=True),
        DoorAnswer(-15, "", "", timed_out=True),
        DoorAnswer(-9, "", ""),
        DoorAnswer(0, "", ""),
        DoorAnswer(0, "what?\n", ""),
        DoorBroken("the helper was cut off"),
    ],
)
async def test_a_submission_of_which_nobody_knows_may_exist(
    answer: DoorAnswer | Exception,
) -> None:
    with pytest.raises(ClusterTimedOut, match="kqi-1") as caught:
        await DoorControl(AnsweringDoor(answer)).submit("alice", SCRIPT)
    assert "may have been done" in caught.value.hint


@pytest.mark.parametrize("error", [DoorUnreachable("no socket"), DoorRefused("no")])
async def test_a_door_that_did_nothing_says_so_itself(error: Exception) -> None:
    with pytest.raises(type(error)):
        await DoorControl(AnsweringDoor(error)).submit("alice", SCRIPT)


@pytest.mark.parametrize(
    ("stderr", "error_class"),
    [
        (
            "Batch job submission failed: Unable to contact slurm controller",
            ClusterUnreachable,
        ),
        (
            "Batch job submission failed: Invalid partition name specified",
            ClusterRefused,
        ),
    ],
)
async def test_a_failed_submission_is_told_by_its_cause(
    stderr: str, error_class: type[ClusterError]
) -> None:
    door = AnsweringDoor(DoorAnswer(1, "", f"sbatch: error: {stderr}\n"))
    with pytest.raises(error_class):
        await DoorControl(door).submit("alice", SCRIPT)


async def test_each_deed_asks_for_its_verb() -> None:
    door = AnsweringDoor()
    control = DoorControl(door)
    await control.cancel("alice", [7, 8])
    await control.signal("alice", 7, "USR1")
    await control.hold("alice", 7)
    await control.release("alice", 7)
    await control.requeue("alice", 7)
    await control.set_time_limit("alice", 7, 90)
    assert [(verb, arguments) for verb, _, arguments in door.asked] == [
        ("cancel", {"job_ids": ["7", "8"]}),
        ("signal", {"job_id": "7", "name": "USR1"}),
        ("control", {"action": "hold", "job_id": "7"}),
        ("control", {"action": "release", "job_id": "7"}),
        ("control", {"action": "requeue", "job_id": "7"}),
        ("time-limit", {"job_id": "7", "seconds": 90}),
    ]


@pytest.mark.parametrize(
    "stderr",
    [
        "1_0: Job has already finished\n1_1-5: No error\n",
        "7_0,2: Job has already finished\n7_[3-9%2]: No error\n",
    ],
)
async def test_what_was_done_for_the_tasks_that_live_is_done(stderr: str) -> None:
    door = AnsweringDoor(DoorAnswer(1, "", stderr))
    await DoorControl(door).release("alice", "7")


@pytest.mark.parametrize(
    "stderr",
    [
        "1_0: Job has already finished\n",
        "1_0: Job has already finished\n1_1-5: Access/permission denied\n",
        "1_0: No error\nslurm_update error: Invalid job id specified\n",
        "slurm_update error: Job has already finished\n",
        "",
    ],
)
async def test_what_was_done_for_none_or_not_for_all_is_an_error(stderr: str) -> None:
    door = AnsweringDoor(DoorAnswer(1, "", stderr))
    with pytest.raises(ClusterError):
        await DoorControl(door).release("alice", "7")


async def test_many_jobs_are_cancelled_in_portions() -> None:
    door = AnsweringDoor()
    await DoorControl(door).cancel("alice", list(range(1, 1202)))
    sizes = [len(arguments["job_ids"]) for *_, arguments in door.asked]  # type: ignore[arg-type]  # a list by the test above
    assert sizes == [500, 500, 201]


async def test_cancelling_nothing_asks_nobody() -> None:
    door = AnsweringDoor()
    await DoorControl(door).cancel("alice", [])
    assert door.asked == []


ENDING = (
    "scancel: error: Kill job error on job id 7: "
    "Job/step already completing or completed\n"
)


async def test_a_job_that_is_ending_already_is_cancelled() -> None:
    await DoorControl(AnsweringDoor(DoorAnswer(1, "", ENDING))).cancel("alice", [7])


async def test_a_job_that_is_ending_does_not_hide_somebody_elses() -> None:
    said = (
        ENDING + "scancel: error: Kill job error on job id 8: Access/permission denied"
    )
    with pytest.raises(NotYourJob, match="7, 8"):
        await DoorControl(AnsweringDoor(DoorAnswer(210, "", said))).cancel(
            "alice", [7, 8]
        )


async def test_a_long_list_of_jobs_is_not_repeated_whole() -> None:
    said = "scancel: error: Kill job error on job id 1: Access/permission denied"
    with pytest.raises(NotYourJob, match="1, 2, 3, 4, 5 and 95 more"):
        await DoorControl(AnsweringDoor(DoorAnswer(210, "", said))).cancel(
            "alice", list(range(1, 101))
        )


async def test_a_longer_time_limit_is_refused_with_the_rule() -> None:
    door = AnsweringDoor(DoorAnswer(1, "", "Access/permission denied for job 7\n"))
    with pytest.raises(ClusterRefused) as caught:
        await DoorControl(door).set_time_limit("alice", 7, 9000)
    assert "shorten" in caught.value.hint
    assert caught.value.reason == "Access/permission denied"


async def test_an_unknown_job_has_no_time_limit() -> None:
    door = AnsweringDoor(DoorAnswer(1, "", "Invalid job id specified for job 7\n"))
    with pytest.raises(NoSuchJob):
        await DoorControl(door).set_time_limit("alice", 7, 60)


async def test_a_secret_travels_beside_the_script_when_there_is_one() -> None:
    door = AnsweringDoor(DoorAnswer(0, "12\n", ""), DoorAnswer(0, "13\n", ""))
    await DoorControl(door).submit("alice", replace(SCRIPT, secret="word"))
    await DoorControl(door).submit("alice", SCRIPT)
    assert [asked.get("secret") for _, _, asked in door.asked] == ["word", None]
    assert "word" not in str(door.asked[0][2]["script"])
