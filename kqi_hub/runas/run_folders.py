"""Folders of runs, read and removed through the door as the person whose they are."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from kqi_hub.domain.errors import Conflict, DoorBroken
from kqi_hub.domain.phrase import Phrase
from kqi_hub.domain.ports import Door
from kqi_hub.domain.run_ports import Collected
from kqi_hub.domain.run_use import RunUse
from kqi_hub.domain.runs import Run
from kqi_hub.i18n import N_
from kqi_hub.runas.answers import require_done

_VERSION: Final = 1
# One question of the door has at most 1000.
_FOLDERS_PER_QUESTION: Final = 500
_LONGEST: Final = 300
_HUGE: Final = 2**62
_LOOK_AT_SCRATCH: Final = N_(
    "Look whether the scratch folder is there and whether `kqi` in it is a folder of "
    "the person's own; then try again."
)


class DoorRunFolders:
    """The port RunFolders: programs of the operator's that run as the person."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def collect(
        self, person: str, runs: Sequence[Run]
    ) -> Mapping[int, Collected | None]:
        """Return what runs have left behind; None where there is no result to read."""
        by_folder = {run.folder: run.id for run in runs if run.folder}
        found: dict[int, Collected | None] = {run.id: None for run in runs}
        left = sorted(by_folder)
        deed = Phrase("read what runs have left behind")
        while left:
            answer = await self._ask("collect", person, left, deed)
            told = _table(answer.get("runs"))
            for folder, said in told.items():
                if folder in by_folder:
                    found[by_folder[folder]] = read_collected(_table(said))
            left = _shorter(left, answer, person, deed)
        return found

    async def remove(self, person: str, folders: Sequence[str]) -> None:
        """Remove folders of runs below `kqi/`; one that is gone is no error."""
        left, kept = list(folders), dict[str, Any]()
        deed = Phrase("remove folders of runs")
        while left:
            answer = await self._ask("remove-runs", person, left, deed)
            kept |= _table(answer.get("kept"))
            left = _shorter(left, answer, person, deed)
        for folder, why in kept.items():
            raise Conflict(
                "Folder {folder} of {person} could not be removed: {reason}.",
                _LOOK_AT_SCRATCH,
                folder=folder,
                person=person,
                reason=_text(why),
            )

    async def _ask(
        self, verb: str, person: str, folders: Sequence[str], deed: Phrase
    ) -> Mapping[str, Any]:
        some = list(folders[:_FOLDERS_PER_QUESTION])
        answer = await self._door.run(verb, person, {"folders": some})
        require_done(answer, person, deed, _LOOK_AT_SCRATCH)
        try:
            said = json.loads(answer.stdout)
        except ValueError:
            said = None
        if not isinstance(said, dict) or said.get("version") != _VERSION:
            raise _no_answer(person, deed)
        return said


def read_collected(said: Mapping[str, Any]) -> Collected | None:
    """Return what is said of one folder; without an exit code there is no result.

    It was written by a program that ran as the person: nothing of it is relied upon.
    """
    result = _table(said.get("result"))
    detail = _text(result.get("why")) or _text(said.get("why"))
    files, size = _count(said.get("files")), _count(said.get("bytes"))
    code = result.get("exit_code")
    has_code = type(code) is int and -255 <= code <= 255
    if not has_code and not files and not detail:
        return None
    return Collected(
        value=_text(said.get("value")),
        files=files,
        bytes=size,
        exit_code=code if has_code else None,
        detail=detail,
        outputs=_names(said.get("outputs")),
        use=RunUse.read(said.get("use")),
    )


def _shorter(
    asked: Sequence[str], answer: Mapping[str, Any], person: str, deed: Phrase
) -> list[str]:
    """Return what is to be asked for again; each answer must bring some of it."""
    again = answer.get("left")
    if not isinstance(again, list):
        raise _no_answer(person, deed)
    some = [one for one in asked[:_FOLDERS_PER_QUESTION] if one in again]
    left = [*some, *asked[_FOLDERS_PER_QUESTION:]]
    if len(left) >= len(asked):
        raise _no_answer(person, deed)
    return left


def _no_answer(person: str, deed: Phrase) -> DoorBroken:
    return DoorBroken(
        "Trying to {deed} for {person} brought an answer that cannot be read.",
        N_("Look whether portal and helper are of the same version."),
        deed=deed,
        person=person,
    )


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    """Return one printable line."""
    if not isinstance(value, str):
        return ""
    return "".join(char for char in value if char.isprintable())[:_LONGEST]


def _names(value: object) -> tuple[str, ...]:
    known = value if isinstance(value, list) else []
    return tuple(one for one in known if isinstance(one, str))


def _count(value: object) -> int:
    return value if type(value) is int and 0 <= value <= _HUGE else 0
