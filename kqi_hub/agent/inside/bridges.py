"""Ways into the person's running jobs: one step a job, however many connections.

Slurm decides whether a job is the person's; the step decides, on the node, whether what
listens there is. A way that nobody uses is closed, and ends with its job.
"""

import asyncio
import json
import secrets
import socket
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from tornado.iostream import IOStream

from kqi_hub.agent.beside import Beside
from kqi_hub.agent.environment_rules import EnvironmentRules
from kqi_hub.agent.errors import Problem
from kqi_hub.agent.inside.channels import Broken, Channel, Channels, Refused
from kqi_hub.agent.inside.slurm_jobs import Job, Jobs
from kqi_hub.agent.inside.steps import bridge_step
from kqi_hub.agent.submitting import plain_environment

_READY_S: Final = 30.0
_OPEN_S: Final = 20.0
_UNUSED_S: Final = 120.0
_LOOK_S: Final = 10.0
_MOST: Final = 16
_MOST_NOISE: Final = 1024 * 1024


class _Bridge:
    """A step that runs, and the channels through it."""

    def __init__(self, process: asyncio.subprocess.Process, channels: Channels) -> None:
        self.process, self.channels = process, channels
        self.is_open = True

    async def carry(self) -> None:
        """Carry until the step ends or nobody has used it for a while."""
        watch = asyncio.create_task(self._watch())
        try:
            await self.channels.run()
        finally:
            self.is_open = False
            watch.cancel()
            await end(self.process)

    async def _watch(self) -> None:
        unused_s = 0.0
        while unused_s < _UNUSED_S:
            await asyncio.sleep(_LOOK_S)
            unused_s = 0.0 if len(self.channels) else unused_s + _LOOK_S
        self.is_open = False
        await end(self.process)


class Bridges:
    """The ways that are open now."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._open: dict[int, _Bridge] = {}
        self._one_each: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._beside = Beside()

    async def connect(self, job: Job, target: Mapping[str, object]) -> IOStream:
        """Return a connection to a port or a socket in a job; Problem says why not."""
        bridge = await self._to(job)
        try:
            async with asyncio.timeout(_OPEN_S):
                channel = await bridge.channels.open(json.dumps(target).encode())
        except Refused as error:
            raise Problem(502, "nothing-there", str(error)) from error
        except (Broken, TimeoutError) as error:
            raise Problem(
                502, "way-lost", "The way into the job is lost. Try again."
            ) from error
        ours, theirs = socket.socketpair()
        reader, writer = await asyncio.open_connection(sock=theirs)
        self._beside.go(_relay(bridge, channel, reader, writer))
        ours.setblocking(False)
        return IOStream(ours, max_buffer_size=4 * 1024 * 1024)

    async def close(self) -> None:
        """End all of them."""
        bridges = list(self._open.values())
        for bridge in bridges:
            bridge.is_open = False
        await asyncio.gather(*(end(bridge.process) for bridge in bridges))

    async def _to(self, job: Job) -> _Bridge:
        async with self._one_each[job.id]:
            known = self._open.get(job.id)
            if known is not None and known.is_open:
                return known
            if sum(one.is_open for one in self._open.values()) >= _MOST:
                raise Problem(
                    429, "too-many-ways", "Too many of your jobs are open already."
                )
            bridge = await _begin(self._jobs.rules, job)
            self._open[job.id] = bridge
            self._beside.go(self._carry(job, bridge))
            return bridge

    async def _carry(self, job: Job, bridge: _Bridge) -> None:
        try:
            await bridge.carry()
        finally:
            self._jobs.forget(str(job.id))
            if self._open.get(job.id) is bridge:
                del self._open[job.id]


async def _relay(
    bridge: _Bridge,
    channel: Channel,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> None:
    try:
        await channel.relay(reader, writer)
    finally:
        bridge.channels.forget(channel)


async def _begin(rules: EnvironmentRules, job: Job) -> _Bridge:
    """Start the step and wait for its word."""
    word = secrets.token_hex(16)
    try:
        process = await asyncio.create_subprocess_exec(
            *bridge_step(rules, job.id, word),
            env=plain_environment(rules), cwd="/", limit=_MOST_NOISE,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
    except OSError as error:
        raise Problem(503, "slurm-silent", f"srun: {error.strerror}.") from error
    assert process.stdin and process.stdout and process.stderr  # noqa: S101 - pipes
    try:
        async with asyncio.timeout(_READY_S):
            await process.stdout.readuntil(f"\nkqi-bridge {word}\n".encode())
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError):
        said = await _complaint(process)
        raise _no_way(job, said) from None
    return _Bridge(process, Channels(process.stdout, process.stdin))


async def _complaint(process: asyncio.subprocess.Process) -> str:
    """End a step that did not begin, and return what it said."""
    await end(process)
    raw = await process.stderr.read() if process.stderr else b""
    text = raw.decode(errors="replace").replace("srun: error: ", "")
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:300]


def _no_way(job: Job, said: str) -> Problem:
    if "ermission denied" in said:
        return Problem(403, "not-yours", f"Slurm says that job {job.id} is not yours.")
    why = f": {said}" if said else ", and did not say why"
    return Problem(502, "no-way", f"Slurm leads nobody into job {job.id}{why}.")


async def end(process: asyncio.subprocess.Process) -> None:
    """End a step: it is told by its input first, which lets Slurm tidy up."""
    if process.stdin is not None:
        process.stdin.close()
    for signal in (None, process.terminate, process.kill):
        if process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            if signal is not None:
                signal()
        with suppress(TimeoutError):
            async with asyncio.timeout(3):
                await process.wait()
