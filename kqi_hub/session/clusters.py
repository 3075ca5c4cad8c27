"""Groups of engines that were started from the Clusters page of this session."""

import asyncio
import contextlib
import json
import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from kqi_hub.session.pythons import Python

_END_S: Final = 15.0
_LONGEST_LINE: Final = 1 << 14
_SAID: Final = 2000
_MOST: Final = 16
_REFUSED: Final = "sbatch: error: "
_PROCESS: Final = Path(__file__).with_name("engines_process.py")
# Run by its path, this folder's modules would come before the environment's own.
_RUN: Final = "import runpy, sys; runpy.run_path(sys.argv[1], run_name='__main__')"
_WORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_CLIENT: Final = re.compile(r"ipcontroller(?:-(.{1,80}))?-client\.json", re.ASCII)
_NUMBER: Final = re.compile(r"[0-9]{1,9}", re.ASCII)
_LIMITS: Final = {
    "engines": (1, 4096),
    "nodes": (1, 4096),
    "cpus": (1, 4096),
    "memory_mb": (16, 1 << 24),
    "gpus": (0, 64),
    "minutes": (1, 525600),
}


class BadWish(Exception):
    """Something in the form cannot be; the field and the text for people."""

    def __init__(self, field_name: str, text: str) -> None:
        super().__init__(text)
        self.field_name = field_name


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asks for; empty or None: as in the notebook."""

    engines: int
    nodes: int
    queue: str = ""
    tenant: str = ""
    others: Mapping[str, int] = field(default_factory=dict)

    def variables(self) -> dict[str, str]:
        """Return how the profile `slurm` is told."""
        told = {"QUEUE": self.queue, "TENANT": self.tenant, "NODES": str(self.nodes)}
        told |= {name.upper(): str(value) for name, value in self.others.items()}
        return {f"KQI_ENGINES_{name}": value for name, value in told.items() if value}


def read_wish(form: Mapping[str, str]) -> Wish:
    """Return what a form says; BadWish."""
    numbers = {name: _number(form, name) for name in _LIMITS}
    engines, nodes = numbers.pop("engines"), numbers.pop("nodes")
    if engines is None:
        raise BadWish("engines", "Say how many engines there are to be.")
    others = {name: value for name, value in numbers.items() if value is not None}
    queue, tenant = _word(form, "queue"), _word(form, "tenant")
    return Wish(engines, nodes or 1, queue, tenant, others)


def _number(form: Mapping[str, str], name: str) -> int | None:
    text = form.get(name, "").strip()
    if not text:
        return None
    least, most = _LIMITS[name]
    if not _NUMBER.fullmatch(text) or not least <= int(text) <= most:
        raise BadWish(name, f"Give a whole number from {least} to {most}.")
    return int(text)


def _word(form: Mapping[str, str], name: str) -> str:
    text = form.get(name, "").strip()
    if text and not _WORD.fullmatch(text):
        raise BadWish(name, "Letters, digits, dots and dashes only.")
    return text


@dataclass(slots=True)
class Cluster:
    """A group of engines and the process that keeps it."""

    name: str  # IPython's id of it; empty for the first
    wish: Wish
    python: Python
    process: asyncio.subprocess.Process
    log: Path
    began_at: float
    state: str = "starting"
    engines: int = 0
    job: str = ""
    why: str = ""

    @property
    def is_alive(self) -> bool:
        """Tell whether its process runs."""
        return self.process.returncode is None

    @property
    def client(self) -> str:
        """Return what a cell says to reach it."""
        more = f', cluster_id="{self.name}"' if self.name else ""
        return f'ipp.Client(profile="slurm"{more})'

    def said(self) -> str:
        """Return the end of what was said at its start."""
        try:
            return self.log.read_text(errors="replace")[-_SAID:]
        except OSError:
            return ""

    def refusal(self) -> str:
        """Return Slurm's words where it did not take the job; empty otherwise."""
        try:
            lines = self.log.read_text(errors="replace").splitlines()
        except OSError:
            return ""
        said = [line for line in lines if line.startswith(_REFUSED)]
        return " · ".join(line.removeprefix(_REFUSED) for line in said)


class Clusters:
    """Starts them, knows them, ends them."""

    def __init__(self, ipython_dir: Path) -> None:
        self._profile = ipython_dir / "profile_slurm"
        self._known: dict[str, Cluster] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def known(self) -> list[Cluster]:
        """Return those of this session, the latest first; also how the last ended."""
        return sorted(self._known.values(), key=lambda one: -one.began_at)

    def elsewhere(self) -> list[str]:
        """Return the names of those that code or other notebooks have started."""
        own = {one.name for one in self._known.values() if one.is_alive}
        files = (self._profile / "security").glob("ipcontroller*-client.json")
        found = filter(None, (_CLIENT.fullmatch(file.name) for file in files))
        return sorted({one[1] or "" for one in found} - own)

    async def start(self, wish: Wish, python: Python) -> Cluster:
        """Start a group; BadWish when that cannot be."""
        if sum(one.is_alive for one in self._known.values()) >= _MOST:
            raise BadWish("engines", f"More than {_MOST} groups: stop one of them.")
        name = self._free_name()
        try:
            cluster = await self._started(name, wish, python)
        except OSError as error:
            text = f"{error.filename or python.program}: {error.strerror}."
            raise BadWish("kernel", text) from error
        self._known[name] = cluster
        task = asyncio.create_task(_follow(cluster))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return cluster

    async def _started(self, name: str, wish: Wish, python: Python) -> Cluster:
        logs = self._profile / "log"
        logs.mkdir(mode=0o700, parents=True, exist_ok=True)
        log = logs / f"kqi-{name or 'first'}.log"
        argv = [python.program, "-c", _RUN, str(_PROCESS), str(wish.engines), name]
        with log.open("wb") as stream:
            process = await asyncio.create_subprocess_exec(
                *argv,
                env=dict(os.environ) | dict(python.variables) | wish.variables(),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=stream,
                limit=_LONGEST_LINE,
            )
        return Cluster(name, wish, python, process, log, time.time())

    async def stop(self, name: str) -> None:
        """Stop one, or take one that has ended from the list; KeyError."""
        cluster = self._known[name]
        if cluster.is_alive:
            cluster.state = "stopping"
            with contextlib.suppress(ProcessLookupError):
                cluster.process.terminate()
            try:
                await asyncio.wait_for(cluster.process.wait(), _END_S)
            except TimeoutError:
                cluster.process.kill()
                await cluster.process.wait()
                await _cancel(cluster.job)
        self._known.pop(name, None)

    def end(self) -> None:
        """Let all of them end: this session does."""
        for cluster in self._known.values():
            with contextlib.suppress(ProcessLookupError):
                cluster.process.terminate()

    def _free_name(self) -> str:
        taken = set(self._known) | set(self.elsewhere())
        numbers = (str(number) for number in range(2, 1000))
        return next(name for name in ("", *numbers) if name not in taken)


async def _follow(cluster: Cluster) -> None:
    """Take what the process tells until it says no more."""
    stream = cluster.process.stdout
    while stream is not None and (line := await _line(stream)):
        try:
            told = json.loads(line)
            state = str(told["state"])
        except (ValueError, LookupError, TypeError):
            continue
        if cluster.state != "stopping":
            cluster.state = state
        cluster.engines = int(told.get("engines", cluster.engines))
        cluster.job = str(told.get("job", cluster.job))
        cluster.why = str(told.get("why", cluster.why))
    await cluster.process.wait()
    cluster.engines = 0
    if cluster.state not in ("failed", "stopping", "ended"):
        cluster.state, cluster.why = "failed", cluster.why or cluster.said()
    if cluster.state == "failed":
        cluster.why = cluster.refusal() or cluster.why


async def _line(stream: asyncio.StreamReader) -> bytes:
    try:
        return await stream.readline()
    except ValueError:
        return b"{}\n"  # longer than anything that it has to say


async def _cancel(job: str) -> None:
    if not job.isdecimal():
        return
    process = await asyncio.create_subprocess_exec(
        *("scancel", "--quiet", job), stdin=asyncio.subprocess.DEVNULL
    )
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), _END_S)
