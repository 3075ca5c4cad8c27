"""Run one of Slurm's programs: no shell, few variables, a limit on time and output."""

import asyncio
import fcntl
import logging
import os
import signal
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kqi_hub.domain.errors import ClusterError, ClusterTimedOut, ClusterUnreachable
from kqi_hub.slurm.errors import reading_error

log = logging.getLogger(__name__)

# slurmctld's MessageTimeout is 10 s unless the site changed it; then Slurm's own
# programs give up by themselves, with a better word than ours.
DEFAULT_TIMEOUT_S: Final = 15.0
# 500,000 jobs fit. Beyond that something is wrong, and memory must not pay for it.
OUTPUT_LIMIT_BYTES: Final = 256 * 1024 * 1024
STDERR_LIMIT_BYTES: Final = 64 * 1024
# A write that would pass a file's end fails as a whole, so a full file may be shorter
# than its limit by this much. Slurm's programs write 4 KiB at a time.
LARGEST_WRITE_BYTES: Final = 1024 * 1024
# What a program that is followed may be ahead of us: it writes 4 KiB at a time.
PIPE_BYTES: Final = 1024 * 1024
_REAP_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Programs:
    """Where Slurm's programs are, and under which limits they run."""

    folder: Path
    environment: Mapping[str, str]
    timeout_s: float = DEFAULT_TIMEOUT_S
    output_limit_bytes: int = OUTPUT_LIMIT_BYTES

    async def ask(self, argv: Sequence[str]) -> bytes:
        """Return what the program wrote; raise what Slurm said if it failed."""
        # A file in memory in place of a pipe: the program never waits for us, and we
        # are woken once, not for every 4 KiB that stdio hands over.
        limit = self.output_limit_bytes + LARGEST_WRITE_BYTES
        with memory_file(limit) as stdout, memory_file(STDERR_LIMIT_BYTES) as stderr:
            status = await self._run(argv, stdout, stderr)
            answer, said = written(stdout), written(stderr).decode(errors="replace")
            if len(answer) > self.output_limit_bytes:
                raise self._too_long(argv[0])
            if status == 0:
                return answer
            raise reading_error(argv[0], said or f"it ended with status {status}")

    async def follow(
        self, argv: Sequence[str], piece_bytes: int
    ) -> AsyncGenerator[bytes, None]:
        """Yield what the program writes in pieces of a size, as it comes.

        It waits where nobody reads on; the limit on time is one for each piece. What
        Slurm said is raised if it failed, after everything that it wrote.
        """
        with memory_file(STDERR_LIMIT_BYTES) as stderr:
            async with self._started(argv, asyncio.subprocess.PIPE, stderr) as process:
                while piece := await self._piece(process, argv[0], piece_bytes):
                    yield piece
                status = await process.wait()
            said = written(stderr).decode(errors="replace")
        if status != 0:
            raise reading_error(argv[0], said or f"it ended with status {status}")

    async def _piece(
        self, process: asyncio.subprocess.Process, program: str, size: int
    ) -> bytes:
        assert process.stdout is not None  # noqa: S101  for mypy: it was asked for
        try:
            async with asyncio.timeout(self.timeout_s):
                return await process.stdout.readexactly(size)
        except asyncio.IncompleteReadError as end:
            return end.partial
        except TimeoutError:
            raise self._too_slow(program) from None

    async def _run(self, argv: Sequence[str], stdout: int, stderr: int) -> int:
        async with self._started(argv, stdout, stderr) as process:
            try:
                async with asyncio.timeout(self.timeout_s):
                    return await process.wait()
            except TimeoutError:
                raise self._too_slow(argv[0]) from None

    @asynccontextmanager
    async def _started(
        self, argv: Sequence[str], stdout: int, stderr: int
    ) -> AsyncIterator[asyncio.subprocess.Process]:
        program = self.folder / argv[0]
        try:
            process = await asyncio.create_subprocess_exec(
                program,
                *argv[1:],
                stdin=asyncio.subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                env=self.environment,
                start_new_session=True,
                limit=PIPE_BYTES,
                pipesize=PIPE_BYTES,
            )
        except OSError as error:
            raise ClusterUnreachable(
                "{program} cannot be run: {reason}.",
                "Install Slurm's client programs, or set cluster.slurm_bin.",
                program=program,
                reason=error.strerror,
            ) from error
        try:
            yield process
        finally:
            await _end(process)

    def _too_slow(self, program: str) -> ClusterTimedOut:
        return ClusterTimedOut(
            "{program} did not answer within {limit} s.",
            "The controller is overloaded or hangs: `sdiag`, `scontrol ping`.",
            program=program,
            limit=f"{self.timeout_s:g}",
        )

    def _too_long(self, program: str) -> ClusterError:
        return ClusterError(
            "{program} wrote more than {limit} bytes.",
            "Its answer was not read. Look at what it prints by hand.",
            program=program,
            limit=self.output_limit_bytes,
        )


@contextmanager
def memory_file(limit_bytes: int) -> Iterator[int]:
    """Open a file that exists in memory only and cannot grow beyond a limit.

    The kernel holds whoever writes to it to the limit, children of a program too, and
    gives memory only to what is written.
    """
    fd = os.memfd_create("answer", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        os.ftruncate(fd, limit_bytes)
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_GROW)
        yield fd
    finally:
        os.close(fd)


def written(fd: int) -> bytes:
    """Return what a program has written; it shares the file's position with us."""
    return os.pread(fd, os.lseek(fd, 0, os.SEEK_CUR), 0)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Leave nothing running, whether we gave up, were cancelled or are done."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    elif process.stdout is None:
        return
    try:
        async with asyncio.timeout(_REAP_S):
            # A pipe that is not read to its end stays open.
            while process.stdout is not None and await process.stdout.read(PIPE_BYTES):
                continue
            await process.wait()
    except TimeoutError:
        # It sits in the kernel, on a dead network file system perhaps.
        log.warning("process %d does not end although it was killed", process.pid)
