"""Outputs of runs, handed to the store through the door as the person's own files."""

import json
from collections.abc import Mapping
from typing import Any, Final

from kqi_hub.domain.errors import DoorBroken, StoreUnavailable
from kqi_hub.domain.phrase import Phrase
from kqi_hub.domain.ports import Door
from kqi_hub.domain.run_outputs import Offered, OutputRefused
from kqi_hub.i18n import N_
from kqi_hub.runas.answers import require_done

_VERSION: Final = 1
_LONGEST: Final = 300
_LONGEST_PATH: Final = 4096
# The store is at work, or restarts: the same may go well a moment later.
_PASSING: Final = frozenset({"store-silent", "busy", "store"})
_LOOK_AT_OUTPUT: Final = N_(
    "Look whether the run's folder is still there; what it made can be uploaded by "
    "hand."
)


class DoorRunOutputs:
    """The port OutputFiles: a program of the operator's that runs as the person."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def offer(
        self, person: str, folder: str, name: str, ticket: str, after: str = ""
    ) -> Offered:
        """Offer what lies in `output/<name>` of a run's folder."""
        arguments = {"folder": folder, "name": name, "ticket": ticket}
        if after:
            arguments["after"] = after
        answer = await self._door.run("offer-output", person, arguments)
        deed = Phrase("hand over {name} of {folder}", name=name, folder=folder)
        require_done(answer, person, deed, _LOOK_AT_OUTPUT)
        try:
            return _offered(json.loads(answer.stdout))
        except (ValueError, TypeError, KeyError) as error:
            raise DoorBroken(
                "Trying to {deed} for {person} brought an answer that cannot be read.",
                N_("Look whether portal and helper are of the same version."),
                deed=deed,
                person=person,
            ) from error


def _offered(said: Mapping[str, Any]) -> Offered:
    """Read an answer; the program that gave it ran as the person."""
    if said["version"] != _VERSION:
        raise ValueError(said["version"])
    refused = said["refused"]
    if refused is not None:
        why = _text(refused["message"])
        if refused["code"] in _PASSING:
            raise StoreUnavailable(
                "The data store does not take an output now: {reason}",
                N_("It is tried again."),
                reason=why,
            )
        raise OutputRefused(
            "The output cannot become data: {reason}", _LOOK_AT_OUTPUT, reason=why
        )
    missed = next(iter(said["missed"]), None)
    return Offered(
        after=str(said["after"])[:_LONGEST_PATH],
        more=said["more"] is True,
        misses=max(0, int(said["misses"])),
        missed=f"{_text(missed['path'])}: {_text(missed['message'])}" if missed else "",
    )


def _text(value: object) -> str:
    """Return one printable line."""
    return "".join(one for one in str(value) if one.isprintable())[:_LONGEST]
