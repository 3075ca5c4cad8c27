"""The doctor's look at directory, folders, door, database and worker."""

from collections.abc import Callable, Coroutine
from typing import Final

from kqi_hub.domain.health import MISSING, DirectoryProbe, FileFacts
from kqi_hub.services.checks import folders, portal
from kqi_hub.services.checks.examine import Check, aside
from kqi_hub.services.checks.finding import Finding, ok, skip, warn, worst
from kqi_hub.services.checks.sources import Sources, Target

# A site may have more people than anybody wants to wait for.
CHILDREN: Final = 5000
DATABASE: Final = "database"
DIRECTORY: Final = "directory"
_SPACE: Final = "space for"

Look = Callable[[], Coroutine[None, None, Finding]]


class PortalChecks:
    """Everything that is not Slurm and needs no person."""

    def __init__(self, target: Target, sources: Sources) -> None:
        self._target = target
        self._sources = sources
        self._machine = sources.machine

    def checks(self) -> list[Check]:
        """Return one check a line."""
        target = self._target
        return [
            *self._directory(),
            Check(folders.SCRATCH, self._scratch_root),
            Check(folders.FOLDERS, self._scratch_folders),
            self._space(target.scratch_root, 0),
            Check(folders.STATE, self._state_folder),
            self._space(target.state_dir, folders.LEAST_STATE_BYTES),
            Check(portal.DOOR_FILE, self._door_files),
            Check(portal.DOOR, self._door),
            Check(DATABASE, self._database),
            Check(portal.WORKER, self._worker),
            Check(portal.STRAYS, self._strays),
            Check(portal.SANDBOX, self._sandbox),
        ]

    def _directory(self) -> list[Check]:
        probe = self._sources.directory
        if probe is None:
            return [Check(DIRECTORY, self._no_directory)]
        return [
            Check(name, self._directory_server(name, server, probe))
            for server in self._target.directory_servers
            for name in [f"{DIRECTORY} {server}"]
        ]

    async def _no_directory(self) -> Finding:
        todo = "Add a [directory] table to the settings."
        return warn(DIRECTORY, "none is set: nobody can log in", todo)

    def _directory_server(self, name: str, server: str, probe: DirectoryProbe) -> Look:
        async def look() -> Finding:
            certificate = await aside(lambda: probe.look(server))
            return portal.judge_certificate(name, certificate, self._sources.wall())

        return look

    async def _scratch_root(self) -> Finding:
        path = self._target.scratch_root
        facts = await self._facts(path)
        space = await aside(lambda: self._machine.space(path))
        return folders.judge_scratch_root(facts, space)

    async def _scratch_folders(self) -> Finding:
        path = self._target.scratch_root
        root = await self._facts(path)
        if root.kind != "folder":
            return skip(folders.FOLDERS, f"there is no folder {path}")
        children = await aside(lambda: self._machine.children(path, CHILDREN))
        return folders.judge_scratch_folders(children, CHILDREN)

    async def _state_folder(self) -> Finding:
        path = self._target.state_dir
        facts = await self._facts(path)
        process = await aside(self._machine.process)
        return folders.judge_state_folder(facts, process)

    def _space(self, path: str, least_bytes: int) -> Check:
        name = f"{_SPACE} {path}"

        async def look() -> Finding:
            space = await aside(lambda: self._machine.space(path))
            return folders.judge_space(name, space, least_bytes)

        return Check(name, look)

    async def _door_files(self) -> Finding:
        socket = self._target.door_socket
        found = []
        if socket is not None:
            facts = await self._facts(socket)
            folder = await self._facts(socket.rpartition("/")[0] or "/")
            found.append(portal.judge_door_socket(facts, folder))
        for program in self._target.door_programs:
            found.append(portal.judge_door_program(await self._facts(program)))
        config = await self._facts(self._target.door_config)
        # It may lie elsewhere: only the helper's own command line knows.
        if config.kind != MISSING:
            found.append(portal.judge_door_program(config))
        return worst(found)

    async def _facts(self, path: str) -> FileFacts:
        return await aside(lambda: self._machine.facts(path))

    async def _door(self) -> Finding:
        return await portal.try_door(self._sources.door)

    async def _database(self) -> Finding:
        revision = await aside(self._sources.check_database)
        file = self._target.sqlite_file
        if file is not None:
            space = await aside(lambda: self._machine.space(file))
            if (trouble := folders.judge_database_disk(DATABASE, space)) is not None:
                return trouble
        return ok(DATABASE, f"schema {revision}, as this version needs")

    async def _worker(self) -> Finding:
        holder = await aside(self._sources.worker_holder)
        freshness = await aside(self._sources.freshness)
        now, stale_after_s = self._sources.wall(), self._target.rules.stale_after_s
        return portal.judge_worker(holder, freshness, now, stale_after_s)

    async def _strays(self) -> Finding:
        return portal.judge_strays(await aside(self._sources.strays))

    async def _sandbox(self) -> Finding:
        return portal.judge_sandbox(await aside(self._machine.sandbox))
