"""TensorBoards of runs: `api/runs/KIND/ID/tensorboard`, and the way to one."""

import json
import re
from typing import Any, Final

from tornado.iostream import IOStream

from kqi_hub.agent.errors import Problem
from kqi_hub.agent.inside.boards import Wish
from kqi_hub.agent.inside.ports import Passed
from kqi_hub.agent.inside.run_folder import RunPlace, run_place
from kqi_hub.agent.inside.run_states import RunHandler

DEFAULT_HOURS: Final = 3
LONGEST_HOURS: Final = 24
_MOST_BESIDE: Final = 20
# Slurm's own names; the same as in the scripts of notebooks.
_NAME: Final = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9_.+-]{0,127})?", re.ASCII)
_KEYS: Final = frozenset({"hours", "queue", "tenant", "with"})


class Board(RunHandler):
    """GET shows it, POST starts it or finds the one that runs, DELETE stops it."""

    async def get(self, kind: str, number: str) -> None:
        """Answer with its state."""
        await self._answer(self.place(kind, number))

    async def post(self, kind: str, number: str) -> None:
        """Start it; Problem 409 for what has none."""
        self.require_token()
        place = self.place(kind, number)
        if place.kind != "training":
            raise Problem(
                409,
                "no-training",
                "Only trainings have a TensorBoard; what an inference has written can "
                "be shown beside one.",
            )
        wish = read_wish(self.request.body)
        seen = await self.agent.inside.boards.start(place, wish)
        self.set_status(202)
        self.answer(seen)

    async def delete(self, kind: str, number: str) -> None:
        """Stop it."""
        self.require_token()
        self.answer(await self.agent.inside.boards.stop(self.place(kind, number)))

    async def _answer(self, place: RunPlace) -> None:
        self.answer(await self.agent.inside.boards.view(place))


class OpenBoard(Passed):
    """tensorboard/KIND-ID/…: to its socket."""

    async def connection(self) -> IOStream:
        """Connect to it."""
        return await self.agent.inside.boards.connect(self._place)

    @property
    def prefix(self) -> str:
        """Return its address."""
        return f"{self.agent.told.base}tensorboard/{self._place.word}/"

    @property
    def _place(self) -> RunPlace:
        kind, _, number = self.path_args[0].partition("-")
        found = run_place(kind, number)
        if found is None:
            raise Problem(404, "no-run", "There is no run of that kind and number.")
        return found


def read_wish(raw: bytes) -> Wish:
    """Read what is asked for; Problem 400 says what is wrong with it."""
    try:
        said: Any = json.loads(raw or b"{}")
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict) or set(said) - _KEYS:
        raise _wrong("the body", f"an object with {', '.join(sorted(_KEYS))}")
    hours = said.get("hours", DEFAULT_HOURS)
    if type(hours) is not int or not 1 <= hours <= LONGEST_HOURS:
        raise _wrong("`hours`", f"a number from 1 to {LONGEST_HOURS}")
    for name in ("queue", "tenant"):
        value = said.get(name, "")
        if not isinstance(value, str) or not _NAME.fullmatch(value):
            raise _wrong(f"`{name}`", "one of Slurm's names")
    return Wish(hours, said.get("queue", ""), said.get("tenant", ""), _beside(said))


def _beside(said: dict[str, Any]) -> tuple[RunPlace, ...]:
    words = said.get("with", [])
    if not isinstance(words, list) or len(words) > _MOST_BESIDE:
        raise _wrong("`with`", f"a list of at most {_MOST_BESIDE} runs")
    parts = [str(word).partition("/") for word in words]
    found = [run_place(kind, number) for kind, _, number in parts]
    if not all(found):
        raise _wrong("`with`", "a list of runs such as `training/12`")
    return tuple(one for one in found if one is not None)


def _wrong(what: str, expected: str) -> Problem:
    return Problem(400, "invalid-input", f"{what} must be {expected}.")
