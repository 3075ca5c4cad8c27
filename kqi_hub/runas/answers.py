"""What an answer of the door means when the helper itself did the work."""

from kqi_hub.domain.errors import DoorBroken, DoorRefused
from kqi_hub.domain.phrase import Phrase
from kqi_hub.domain.ports import DoorAnswer
from kqi_hub.i18n import N_

_LONGEST = 300


def require_done(answer: DoorAnswer, person: str, deed: Phrase, hint: str) -> None:
    """Return if the work was done; DoorBroken when nobody can tell."""
    if answer.timed_out or answer.exit_code < 0:
        raise DoorBroken(
            "Trying to {deed} for {person} took too long and was ended.",
            N_("It may have happened: look before you ask again."),
            deed=deed,
            person=person,
        )
    if answer.exit_code != 0:
        raise DoorRefused(
            "It was not possible to {deed} for {person}: {reason}.",
            hint,
            deed=deed,
            person=person,
            reason=answer.stderr.strip()[:_LONGEST] or answer.exit_code,
        )
