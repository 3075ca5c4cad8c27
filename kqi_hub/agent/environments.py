"""The person's environments over HTTP: what there is; what changes is a task."""

import asyncio
from collections.abc import Callable
from typing import Any, Final, ParamSpec, TypeVar

from kqi_hub.agent.base import OwnerHandler
from kqi_hub.agent.conda import Conda, CondaRefuses, Shelf
from kqi_hub.agent.errors import Problem
from kqi_hub.agent.orders import existing_name, read_object, shown
from kqi_hub.agent.task_views import is_live

P = ParamSpec("P")
T = TypeVar("T")
FORMATS: Final = {
    "yml": ("yml", "application/yaml"),
    "explicit": ("explicit.txt", "text/plain; charset=utf-8"),
    "pip": ("requirements.txt", "text/plain; charset=utf-8"),
    "lock": ("lock", "application/yaml"),
}
_MOST_EXAMPLES: Final = 50


class CondaHandler(OwnerHandler):
    """A handler that asks `conda_bootstrap`."""

    @property
    def conda(self) -> Conda:
        """Return it; Problem where this agent was told of no site."""
        if self.agent.conda is None:
            raise Problem(
                503, "not-set-up", "This agent was told nothing of environments."
            )
        return self.agent.conda

    async def ask(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do what blocks; what is refused there is a Problem here."""
        try:
            return await self.on_disk(work, *args, **kwargs)
        except CondaRefuses as error:
            raise Problem(
                409, error.code.replace("_", "-"), error.message, hint=error.hint
            ) from error

    async def existing(self, given: object) -> dict[str, Any]:
        """Return an environment by its name; Problem 404 if there is none."""
        name = existing_name(given)
        for found in await self.ask(self.conda.environments):
            if found["name"] == name:
                return found
        raise Problem(404, "not-there", f"There is no environment {shown(name)}.")

    def only(self, said: dict[str, Any], *fields: str) -> None:
        """Refuse fields that mean nothing here."""
        if unknown := set(said) - set(fields):
            raise Problem(
                400, "invalid-input", f"`{shown(min(unknown))}` means nothing here."
            )


class Environments(CondaHandler):
    """GET api/environments."""

    async def get(self) -> None:
        """Answer with all of them, the tasks under way, the room and the rules."""
        conda, rules = self.conda, self.agent.tasks.rules
        found, room, tasks = await asyncio.gather(
            self.ask(conda.environments),
            self.ask(conda.room),
            self.agent.tasks.all(),
        )
        live = [one for one in tasks if is_live(one)]
        by_name = {one["name"]: one["id"] for one in reversed(live)}
        self.answer(
            {
                "environments": [
                    {**one, "task": by_name.get(one["name"])} for one in found
                ],
                "tasks": live,
                "room": room,
                "run_on": rules.run_on,
                "queue": rules.queue,
            }
        )


class Bases(CondaHandler):
    """GET api/environments/bases."""

    async def get(self) -> None:
        """Answer with what the site offers."""
        self.answer({"bases": await self.ask(self.conda.bases)})


class Default(CondaHandler):
    """PUT api/environments/default {name}."""

    async def put(self) -> None:
        """Make one the default, if it is there."""
        self.require_token()
        said = read_object(self.request.body)
        self.only(said, "name")
        found = await self.existing(said.get("name"))
        await self.ask(self.conda.set_default, found["name"])
        self.answer({"name": found["name"]})


class Export(CondaHandler):
    """GET api/environments/NAME/export?format=yml."""

    async def get(self, name: str) -> None:
        """Answer with a file to keep."""
        given = self.request.query_arguments.get("format", [b"yml"])
        form = given[0].decode(errors="replace") if len(given) == 1 else ""
        if form not in FORMATS:
            raise Problem(
                400, "invalid-input", f"`format` must be one of {', '.join(FORMATS)}."
            )
        found = await self.existing(name)
        text = await self.ask(self.conda.export, found["name"], form)
        ending, kind = FORMATS[form]
        self.set_header("Content-Type", kind)
        plain = "".join(
            c if c.isascii() and c.isalnum() else "_" for c in found["name"]
        )
        self.set_header(
            "Content-Disposition", f'attachment; filename="{plain}.{ending}"'
        )
        self.finish(text)


class Sizes(CondaHandler):
    """POST api/environments/sizes {name}."""

    async def post(self) -> None:
        """Begin to count how large one is; the list tells when it is known."""
        self.require_token()
        said = read_object(self.request.body)
        self.only(said, "name")
        found = await self.existing(said.get("name"))
        self.agent.counting.begin(self.conda.count, found["name"])
        self.set_status(202)
        self.answer({"name": found["name"]})


class Examples(CondaHandler):
    """GET and POST api/examples."""

    @property
    def shelf(self) -> Shelf:
        """Return where they are; Problem where there are none."""
        if self.agent.shelf is None:
            raise Problem(503, "not-set-up", "This agent has no example notebooks.")
        return self.agent.shelf

    async def get(self) -> None:
        """Answer with the example notebooks."""
        self.answer({"examples": await self.ask(self.shelf.examples)})

    async def post(self) -> None:
        """Copy some into the workspace; nothing there is overwritten."""
        self.require_token()
        said = read_object(self.request.body)
        self.only(said, "names")
        names = said.get("names")
        known = {one["name"] for one in await self.ask(self.shelf.examples)}
        if not isinstance(names, list) or not 0 < len(names) <= _MOST_EXAMPLES:
            raise Problem(400, "invalid-input", "`names` must be a list of names.")
        for name in names:
            if not isinstance(name, str) or name not in known:
                raise Problem(404, "not-there", f"There is no example {shown(name)}.")
        made = await self.ask(self.shelf.copy_examples, list(dict.fromkeys(names)))
        self.set_status(201)
        self.answer({"made": made})
