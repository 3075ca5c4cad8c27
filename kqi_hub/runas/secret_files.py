"""Files of secrets, written through the door as the person."""

from collections.abc import Sequence
from typing import Final

from kqi_hub.domain.phrase import Phrase
from kqi_hub.domain.ports import Door
from kqi_hub.i18n import N_
from kqi_hub.runas.answers import require_done

# One question of the door has at most 1000.
_NAMES_PER_QUESTION: Final = 500
_LOOK_AT_SCRATCH: Final = N_(
    "Look whether the scratch folder is there, has room and has no link in place of "
    "its folders `kqi` and `kqi/secrets`; then try again."
)


class DoorSecretFiles:
    """The port SecretFiles: the helper writes below the person's own scratch folder."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def keep(self, person: str, job_name: str, text: str) -> None:
        """Write or replace the file of a job."""
        arguments = {"name": job_name, "text": text}
        answer = await self._door.run("put-secret", person, arguments)
        deed = Phrase("write the secrets of job {job}", job=job_name)
        require_done(answer, person, deed, _LOOK_AT_SCRATCH)

    async def drop(self, person: str, job_names: Sequence[str]) -> None:
        """Remove files; one that is not there is no error."""
        for start in range(0, len(job_names), _NAMES_PER_QUESTION):
            some = list(job_names[start : start + _NAMES_PER_QUESTION])
            answer = await self._door.run("drop-secret", person, {"names": some})
            deed = Phrase("remove secrets of jobs that have ended")
            require_done(answer, person, deed, _LOOK_AT_SCRATCH)
