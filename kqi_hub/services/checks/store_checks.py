"""The doctor's look at the data store."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from kqi_hub import __version__
from kqi_hub.domain.errors import KqiError
from kqi_hub.services.checks.examine import Check, aside
from kqi_hub.services.checks.finding import Finding, fail, ok, warn

STORE: Final = "data store"
TENANTS: Final = "store of each tenant"
ROOM: Final = "room in the store"
KEY: Final = "key of tickets"
LINKS: Final = "hard links"
LEAST_SHARE: Final = 0.05
_PREPARE: Final = "Run as root: kqi-hub store prepare"
_GIB: Final = 1024**3


@dataclass(frozen=True, slots=True)
class StoreTarget:
    """What the settings say of the store; paths as text."""

    root: str
    socket: str


@dataclass(frozen=True, slots=True)
class StoreSources:
    """Ways to ask; the plain callables may block and are called aside."""

    target: StoreTarget
    health: Callable[[], Awaitable[Mapping[str, Any]]]
    # Tenants whose folder is not as it must be.
    unprepared: Callable[[], Awaitable[list[str]]]
    ticket_key: Callable[[], bytes]
    is_beside_scratch: Callable[[], bool]
    protects_hard_links: Callable[[], bool]


class StoreChecks:
    """Whether tenants' data can come, stay and be used."""

    def __init__(self, sources: StoreSources) -> None:
        self._sources = sources

    def checks(self) -> list[Check]:
        """Return one check a line."""
        return [
            Check(STORE, self._answers),
            Check(TENANTS, self._tenants),
            Check(ROOM, self._room),
            Check(KEY, self._key),
            Check(LINKS, self._links),
        ]

    async def _answers(self) -> Finding:
        target = self._sources.target
        try:
            said = await self._sources.health()
        except KqiError as error:
            return fail(STORE, error.message, "Start it: docs/operators/store.md")
        if said.get("root") != target.root:
            seen = f"it serves {said.get('root')}, the settings say {target.root}"
            return fail(STORE, seen, "Start it with: kqi-hub store command")
        if said.get("version") != __version__:
            seen = f"it is version {said.get('version')}, this is {__version__}"
            return warn(STORE, seen, "Restart it.")
        return ok(STORE, f"{target.root}, behind {target.socket}")

    async def _tenants(self) -> Finding:
        missing = await self._sources.unprepared()
        if missing:
            shown = ", ".join(missing[:5]) + (", …" if len(missing) > 5 else "")
            return fail(TENANTS, f"no right folder for {shown}", _PREPARE)
        return ok(TENANTS, "each has its folder, for its group alone")

    async def _room(self) -> Finding:
        try:
            said = await self._sources.health()
        except KqiError as error:
            return fail(ROOM, error.message, "Start it: docs/operators/store.md")
        free, total = int(said["free_bytes"]), int(said["total_bytes"])
        seen = f"{free / _GIB:.1f} GiB of {total / _GIB:.1f} are free"
        if free < total * LEAST_SHARE:
            return warn(ROOM, seen, "Uploads will soon be refused: make room.")
        if not await aside(self._sources.is_beside_scratch):
            todo = "Files of scratch are copied in: put both on one file system."
            return warn(ROOM, f"{seen}, on another file system than scratch", todo)
        return ok(ROOM, seen)

    async def _key(self) -> Finding:
        try:
            await aside(self._sources.ticket_key)
        except KqiError as error:
            return fail(KEY, error.message, error.hint or _PREPARE)
        return ok(KEY, "the portal can sign tickets")

    async def _links(self) -> Finding:
        if await aside(self._sources.protects_hard_links):
            return ok(LINKS, "people can link their own files only")
        seen = "people may link files of others (fs.protected_hardlinks is 0)"
        todo = "Run: sysctl -w fs.protected_hardlinks=1, and keep it in /etc/sysctl.d"
        return warn(LINKS, seen, todo)
