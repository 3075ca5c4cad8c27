"""Act on Slurm as a person, through the privileged door."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from kqi_hub.domain.errors import (
    ClusterError,
    ClusterTimedOut,
    DoorBroken,
    NotYourJob,
)
from kqi_hub.domain.phrase import Phrase
from kqi_hub.domain.ports import BatchScript, Door, DoorAnswer
from kqi_hub.i18n import N_
from kqi_hub.slurm.errors import (
    LOOK_FIRST,
    control_error,
    refused_error,
    slurm_words,
    uncertain_error,
)

# One question of the door has at most 1000.
IDS_PER_QUESTION: Final = 500
# `sbatch --parsable` says `12` or `12;cluster`.
_SUBMITTED: Final = re.compile(r"(?:Submitted batch job )?(\d+)(?:;.*)?", re.ASCII)
# scontrol answers for the tasks of an array apart: `1_0: Job has already finished`.
_OF_TASKS: Final = re.compile(r"(?:\S+: )*\d+_[\d,\[\]%-]+: (?P<said>.*)", re.ASCII)
_SHOWN: Final = 5
_DEEDS: Final = {
    "hold": N_("hold job {job}"),
    "release": N_("release job {job}"),
    "requeue": N_("requeue job {job}"),
}


class DoorControl:
    """The port ClusterControl: whoever reads Slurm, this is how it is acted on."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def submit(self, person: str, script: BatchScript) -> int:
        """Submit and return the job's id.

        After ClusterTimedOut the job may exist: look for its name.
        """
        deed = Phrase("submit job {job}", job=script.name)
        arguments = {"name": script.name, "script": script.text, "chdir": script.chdir}
        if script.comment:
            arguments["comment"] = script.comment
        if script.secret:
            arguments["secret"] = script.secret
        answer = await self._do(deed, "submit", person, arguments)
        found = _SUBMITTED.search(answer.stdout)
        if found is None:
            said = repr(answer.stdout[:80])
            raise uncertain_error(
                deed, Phrase("sbatch gave no id but {said}", said=said)
            )
        return int(found[1])

    async def cancel(self, person: str, job_ids: Sequence[int | str]) -> None:
        """Cancel jobs, or tasks such as 12_3; one that has ended is no error."""
        for start in range(0, len(job_ids), IDS_PER_QUESTION):
            some = [str(job_id) for job_id in job_ids[start : start + IDS_PER_QUESTION]]
            deed = _to_cancel(some)
            answer = await self._ask(deed, "cancel", person, {"job_ids": some})
            if answer.exit_code != 0 and not _only_ended(answer.stderr):
                raise _error(deed, answer)

    async def signal(self, person: str, job_id: int, name: str) -> None:
        """Send a signal such as USR1 to a running job's script and steps."""
        arguments = {"job_id": str(job_id), "name": name}
        deed = Phrase("send {signal} to job {job}", signal=name, job=job_id)
        await self._do(deed, "signal", person, arguments)

    async def hold(self, person: str, job_id: int | str) -> None:
        """Keep a waiting job from starting."""
        await self._control(person, "hold", job_id)

    async def release(self, person: str, job_id: int | str) -> None:
        """Let a held job start."""
        await self._control(person, "release", job_id)

    async def requeue(self, person: str, job_id: int) -> None:
        """Stop a job and put it back into its queue."""
        await self._control(person, "requeue", job_id)

    async def set_time_limit(self, person: str, job_id: int, seconds: int) -> None:
        """Change a job's time limit; of a running job people can only shorten it."""
        deed = Phrase("change the time limit of job {job}", job=job_id)
        arguments = {"job_id": str(job_id), "seconds": seconds}
        try:
            await self._do(deed, "time-limit", person, arguments)
        except NotYourJob as error:
            # Slurm's words are the same for a longer limit of one's own job.
            raise refused_error(
                deed,
                "Access/permission denied",
                N_(
                    "Only its owner may, and may only shorten it once the job runs; "
                    "an operator can lengthen it."
                ),
            ) from error

    async def _control(self, person: str, action: str, job_id: int | str) -> None:
        arguments = {"action": action, "job_id": str(job_id)}
        deed = Phrase(_DEEDS[action], job=job_id)
        answer = await self._ask(deed, "control", person, arguments)
        if answer.exit_code != 0 and not _done_for_the_rest(answer.stderr):
            raise _error(deed, answer)

    async def _do(
        self, deed: Phrase, verb: str, person: str, arguments: Mapping[str, object]
    ) -> DoorAnswer:
        answer = await self._ask(deed, verb, person, arguments)
        if answer.exit_code != 0:
            raise _error(deed, answer)
        return answer

    async def _ask(
        self, deed: Phrase, verb: str, person: str, arguments: Mapping[str, object]
    ) -> DoorAnswer:
        try:
            answer = await self._door.run(verb, person, arguments)
        except DoorBroken as error:
            raise ClusterTimedOut(
                "There was no answer in time to {deed}. {why}",
                LOOK_FIRST,
                deed=deed,
                why=Phrase(error.template, **error.values),
            ) from error
        if answer.timed_out:
            said = slurm_words(answer.stderr) or Phrase("its time was up")
            raise uncertain_error(deed, said)
        return answer


def _error(deed: Phrase, answer: DoorAnswer) -> ClusterError:
    if answer.exit_code < 0 and not answer.stderr.strip():
        # Killed by somebody else, perhaps after it had sent its message.
        how = Phrase("it was ended by signal {signal}", signal=-answer.exit_code)
        return uncertain_error(deed, how)
    return control_error(deed, answer.stderr or answer.stdout)


def _only_ended(stderr: str) -> bool:
    """Tell whether all that scancel complains of is jobs that are ending already."""
    lines = [line for line in stderr.splitlines() if line.strip()]
    return bool(lines) and all(
        "already completing or completed" in line for line in lines
    )


def _done_for_the_rest(stderr: str) -> bool:
    """Tell whether it was done for an array, but for those of its tasks that ended."""
    words = [_OF_TASKS.fullmatch(line) for line in stderr.splitlines() if line.strip()]
    said = {found["said"].strip() for found in words if found}
    return all(words) and said == {"No error", "Job has already finished"}


def _to_cancel(job_ids: Sequence[str]) -> Phrase:
    jobs, rest = ", ".join(job_ids[:_SHOWN]), len(job_ids) - _SHOWN
    if rest > 0:
        return Phrase("cancel jobs {jobs} and {rest} more", jobs=jobs, rest=rest)
    if len(job_ids) > 1:
        return Phrase("cancel jobs {jobs}", jobs=jobs)
    return Phrase("cancel job {job}", job=jobs)
