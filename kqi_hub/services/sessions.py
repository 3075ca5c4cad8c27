"""Sessions in the hub's process: start, follow, stop; each has one job at most."""

import asyncio
import logging
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kqi_hub.domain.errors import ClusterError, Conflict
from kqi_hub.domain.hostlist import expand_hostlist
from kqi_hub.domain.notebooks import Cause, Phase, Session
from kqi_hub.services.session_run import Heard, Run, StartFailed
from kqi_hub.services.session_stop import drop_secret, end_job, note_end
from kqi_hub.services.session_submit import give_job
from kqi_hub.services.session_watch import SessionWatch
from kqi_hub.services.session_world import World

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a session's server listens: a node as Slurm names it, and a port."""

    node: str
    port: int


class Sessions:
    """The sessions of one hub process; call it from its event loop."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._runs: dict[int, Run] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._since = world.clock()
        self._watch: asyncio.Task[None] | None = None

    def keep_watching(self) -> None:
        """Watch the worker's pictures from now on; a second call changes nothing."""
        if self._watch is None:
            watch = SessionWatch(self.world)
            self._watch = self._spawn(watch.run_forever(self._runs.values()))

    async def close(self) -> None:
        """End what goes on beside; jobs and sessions stay as they are."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def claim(self, owner: str, notebook_id: int) -> Run:
        """Return the live session behind a server, or refuse to start one."""
        session = await asyncio.to_thread(
            self.world.sessions.live_of_server, owner, notebook_id
        )
        if session is None:
            raise Conflict(
                "Nobody has asked for this notebook to run.",
                "Start it from its page in the portal.",
            )
        if session.stopping is not None:
            raise Conflict(
                "This notebook is being stopped.", "Start it again in a moment."
            )
        return self._run_of(session)

    async def preset_of(self, owner: str, notebook_id: int) -> str:
        """Return the ready-made choice that the live session of a server began with.

        Empty where there is none. What it stood for then is in the session.
        """
        session = await asyncio.to_thread(
            self.world.sessions.live_of_server, owner, notebook_id
        )
        return "" if session is None else session.chosen.preset

    async def start(
        self, run: Run, hub: Mapping[str, str], *, is_told: bool = False
    ) -> Place:
        """Return where the session's server listens, however long that takes.

        `hub` is what the hub hands out to the server; `is_told`: it has that already.
        A call that is cancelled leaves the job as it is. Raises StartFailed, or what
        Slurm or the door says.
        """
        self.keep_watching()
        known = run.session
        if known.port is not None and known.node:
            if is_told:
                run.port = known.port
                return Place(known.node, known.port)
            raise StartFailed(
                "The notebook runs, but the hub has lost the key to it.",
                "Its job {job} goes on. Save your work there if you can, then stop "
                "the notebook from its page and start it again.",
                job=run.job_id,
            )
        await self._have_job(run, hub, is_told)
        await self._have_port(run)
        node = await self._node(run)
        port = run.port or 0
        run.session = await asyncio.to_thread(
            self.world.sessions.placed, run.id, node, port, self.world.clock()
        )
        return Place(node, port)

    def resume(self, session: Session) -> Run:
        """Know a session again that an earlier hub process started."""
        run = self._run_of(session)
        run.began = run.began or session.port is not None
        return run

    def forget(self, session_id: int) -> None:
        """Remember a session no longer whose server is gone from the hub."""
        run = self._runs.get(session_id)
        if run is None or not run.over:
            return  # it goes on, or its end is still under way
        del self._runs[session_id]
        if run.ending is None:
            self._spawn(drop_secret(self.world, run))

    def give_up(self, run: Run, why: str) -> None:
        """Have the hub itself end a session whose server is of no use."""
        run.failed, run.failure = Cause.FAILED, why

    async def stop(self, run: Run) -> bool:
        """End the session if somebody asked for that; False when it goes on.

        JupyterHub also stops servers of its own accord: when its proxy does not
        answer, or a server is slow. Nobody's work ends for that.
        """
        session = await asyncio.to_thread(self.world.sessions.one, run.id)
        if session is None or not session.is_live:
            run.end()
            return True
        if session.stopping is None and run.failed is not None:
            session = await asyncio.to_thread(
                self.world.sessions.stopping, run.id, run.failed, self.world.clock()
            )
        if session.stopping is None:
            log.warning("Session %d goes on: nobody asked for its end", run.id)
            return False
        ending = self._begin_end(run, session.stopping)
        await asyncio.wait({ending}, timeout=self.world.times.last_word + 1)
        return True

    async def finish_stops(self) -> None:
        """Go on ending what was asked to end before this process began."""
        for session in await asyncio.to_thread(self.world.sessions.live):
            if session.stopping is not None:
                self._begin_end(self._run_of(session), session.stopping)

    async def heard_port(self, run: Run, port: int) -> Heard:
        """Take the port that a session's server will answer at: one, for good.

        It is stored before the server is told so: a server says it once, perhaps to
        a hub process that is about to die.
        """
        if run.port not in {None, port} or run.over or run.stop_asked:
            return Heard.UNWANTED
        run.port, run.began = port, True
        await asyncio.to_thread(
            self.world.sessions.heard_port, run.id, port, self.world.clock()
        )
        run.move()
        return Heard.TAKEN

    async def heard_phase(self, run: Run, phase: Phase) -> None:
        """Note how far a session has come."""
        run.began = True
        run.move()
        await self._reached(run, phase)

    async def heard_ending(
        self, run: Run, cause: Cause, seen: Sequence[tuple[str, int]]
    ) -> None:
        """Note why a session is about to end by itself."""
        run.seen = tuple(seen)
        await asyncio.to_thread(
            self.world.sessions.stopping, run.id, cause, self.world.clock()
        )

    async def heard_ended(self, run: Run, exit_code: int) -> None:
        """Note that a session's server has ended, and the session where that is sure.

        Why one ended that was ready, Slurm knows better: its time was up, its memory
        was full, its node failed. The worker tells.
        """
        run.began, run.exit_code = True, exit_code
        session = await asyncio.to_thread(self.world.sessions.one, run.id)
        if session is None or not session.is_live:
            run.end()
        elif session.stopping is not None:
            await note_end(self.world, run, session.stopping)
        elif session.phase is not Phase.READY:
            run.failure = f"It ended with exit code {exit_code} before it was ready."
            await note_end(self.world, run, Cause.FAILED)
        else:
            run.end()
            asked = self.world.snapshot.request_refresh
            await asyncio.to_thread(asked, self.world.clock())

    async def ready(self, run: Run) -> None:
        """Note that people can open the session's pages."""
        await self._reached(run, Phase.READY)

    def _run_of(self, session: Session) -> Run:
        run = self._runs.get(session.id)
        if run is None or run.over:
            run = Run(session, session.job_id, port=session.port)
            if session.job_id is None and session.asked_at <= self._since:
                # An earlier process may have been ended in the middle of submitting.
                run.unsure_since = self._since
            self._runs[session.id] = run
        else:
            run.session = session
            run.job_id = run.job_id or session.job_id
        return run

    async def _have_job(self, run: Run, hub: Mapping[str, str], is_told: bool) -> None:
        if run.submission is None or run.submission.done():
            giving = give_job(self.world, run, hub, is_told=is_told)
            run.submission = self._spawn(giving)
        # Whoever waits here may give up; a submission under way is never cut short.
        await asyncio.shield(run.submission)

    async def _have_port(self, run: Run) -> None:
        def decided() -> bool:
            return run.port is not None or run.over or run.stop_asked

        longest = self.world.times.longest_wait
        if not await run.until(decided, longest):
            self.give_up(run, f"It waited in the queue for {longest / 3600:g} h.")
            raise StartFailed(
                "The notebook waited for {hours} h and was given up.",
                "Choose another queue, or a smaller size.",
                hours=f"{longest / 3600:g}",
            )
        self._check_alive(run)

    def _check_alive(self, run: Run) -> None:
        if run.over:
            raise self.died(run)
        if run.stop_asked:
            raise StartFailed("The notebook was stopped before it was ready.")

    def died(self, run: Run) -> StartFailed:
        """Return what to say of a session that ended before it could be used."""
        if run.job_id is None:
            return StartFailed("The notebook was ended before it had a job.")
        how = "" if run.job is None else run.job.state
        if run.exit_code is not None:
            how = f"exit code {run.exit_code}"
        return StartFailed(
            "The notebook's job {job} ended before its server was ready ({how}).",
            "Its last words are in {log}.",
            job=run.job_id,
            how=how or "no reason known yet",
            log=self.world.log_path(run.session, run.job_id),
        )

    async def _node(self, run: Run) -> str:
        """Return where the job runs by Slurm's word: the session's is not believed."""
        while True:
            self._check_alive(run)
            node = _node_in_picture(run) or await self._node_by_asking(run)
            if node:
                return node
            await run.until(lambda: bool(_node_in_picture(run)), self.world.times.pause)

    async def _node_by_asking(self, run: Run) -> str:
        try:
            return await self.world.slurm.node_of(run.job_id or 0)
        except ClusterError as error:
            log.warning("Where job %s runs is asked again: %s", run.job_id, error)
            return ""

    async def _reached(self, run: Run, phase: Phase) -> None:
        run.session = await asyncio.to_thread(
            self.world.sessions.reached, run.id, phase, self.world.clock()
        )

    def _begin_end(self, run: Run, cause: Cause) -> "asyncio.Task[None]":
        run.stop_asked = True
        run.move()
        if run.ending is None or run.ending.done():
            run.ending = self._spawn(self._end(run, cause))
        return run.ending

    async def _end(self, run: Run, cause: Cause) -> None:
        await end_job(self.world, run, cause)
        await drop_secret(self.world, run)

    def _spawn(self, work: "Coroutine[Any, Any, None]") -> "asyncio.Task[None]":
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("Of a session: %s", error)


def _node_in_picture(run: Run) -> str:
    job = run.job
    if job is None or job.state != "RUNNING":
        return ""
    nodes = expand_hostlist(job.node_list)
    return nodes[0] if nodes else ""
