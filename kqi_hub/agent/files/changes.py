"""Routes that change: folder, move, delete, text; and how a long work is."""

import re
from collections.abc import Sequence
from typing import Final

from kqi_hub.agent.disk import disk_problem
from kqi_hub.agent.errors import Problem
from kqi_hub.agent.files import changing, editing
from kqi_hub.agent.files.handler import FileHandler, fields_of
from kqi_hub.agent.files.orders import Asked
from kqi_hub.agent.files.places import Place
from kqi_hub.agent.files.removing import remove
from kqi_hub.agent.files.works import Work

# What is over at once is told at once.
_AT_ONCE_S: Final = 0.5
_VERSION: Final = re.compile(r'"([0-9a-f-]{5,60})"', re.ASCII)


class Changer(FileHandler):
    """A route that changes something: only a token may."""

    async def prepare(self) -> None:
        """Let the owner's token in."""
        await super().prepare()
        if self.request.method not in {"GET", "HEAD"}:
            self.require_token()

    def asked(self, *known: str) -> Asked:
        """Return the body."""
        names = frozenset({"root", *known})
        return Asked(self.request.body, names, self.workers.roots)

    async def answer_soon(self, work: Work) -> None:
        """Answer with a work: how it ended, if that takes but a moment."""
        await self.workers.works.wait(work, _AT_ONCE_S)
        self.set_status(200 if work.is_over else 202)
        self.answer(work.fields())


class Folder(Changer):
    """POST api/files/folder: make one."""

    async def post(self) -> None:
        """Make it."""
        asked = self.asked("path", "parents")
        place = asked.place()
        await self.work(changing.make_folder, place, asked.flag("parents"))
        self.set_status(201)
        self.answer(fields_of(place))


class Move(Changer):
    """POST api/files/move: another name, or another folder for several."""

    async def post(self) -> None:
        """Move."""
        asked = self.asked("path", "to", "paths", "into")
        if asked.has("paths"):
            into = asked.place("into")
            moved, refused = await self.work(changing.move_into, asked.places(), into)
        else:
            target = asked.place("to")
            await self.work(changing.rename, asked.place(), target)
            moved, refused = [target.path], []
        self.answer({"moved": moved, "refused": refused})


class Delete(Changer):
    """POST api/files/delete: files, links, folders whole."""

    async def post(self) -> None:
        """Begin; what takes long goes on when whoever asked has left."""
        places = self.asked("paths").places()
        for one in places:
            one.require_name()
        await self.answer_soon(
            self.workers.works.begin(
                "delete", self.agent.use, lambda work: _remove(places, work)
            )
        )


def _remove(places: Sequence[Place], work: Work) -> None:
    for place in places:
        try:
            remove(place, work)
        except (Problem, OSError) as error:
            problem = error if isinstance(error, Problem) else disk_problem(error)
            work.miss(place.path, problem.code, problem.message)


class Text(Changer):
    """api/files/text: GET a small text to edit, PUT it back."""

    async def get(self) -> None:
        """Answer with all of it."""
        place = self.place()
        found = await self.work(editing.read_text, place)
        self.answer(fields_of(place, **found))

    async def put(self) -> None:
        """Replace the edition that `If-Match` names, or make a new file."""
        place, version = self.place(), self._version()
        made = await self.work(editing.write_text, place, self.request.body, version)
        self.answer(fields_of(place, **made))

    def _version(self) -> str | None:
        headers = self.request.headers
        if headers.get("If-None-Match") == "*":
            return None
        said = _VERSION.fullmatch(headers.get("If-Match", ""))
        if said is None:
            raise Problem(
                428, "needs-version",
                'Send `If-Match: "VERSION"` as it was read, or `If-None-Match: *`.',
            )  # fmt: skip
        return said[1]


class WorkList(FileHandler):
    """GET api/files/work: what is under way, and what has ended lately."""

    async def get(self) -> None:
        """Answer."""
        self.answer({"works": [one.fields() for one in self.workers.works.all()]})


class OneWork(FileHandler):
    """GET api/files/work/ID: how it is."""

    async def get(self, number: str) -> None:
        """Answer."""
        self.answer(self.workers.works.get(number).fields())


class CancelWork(Changer):
    """POST api/files/work/ID/cancel: end it; what is done stays done."""

    async def post(self, number: str) -> None:
        """End it."""
        work = self.workers.works.get(number)
        work.leaving.leave()
        await self.answer_soon(work)
