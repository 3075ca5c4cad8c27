"""Run one of Slurm's programs: no shell, few variables, a limit on time and output."""

import asyncio
import logging
import os
import resource
import signal
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
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
_STDERR_LIMIT_BYTES: Final = 64 * 1024
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
        with memory_file("stdout") as stdout, memory_file("stderr") as stderr:
            status = await self._run(argv, stdout, stderr)
            if status == 0:
                return _written(stdout)
            if status == -signal.SIGXFSZ:
                raise self._too_long(argv[0])
            said = _written(stderr, _STDERR_LIMIT_BYTES).decode(errors="replace")
            raise reading_error(argv[0], said or f"it ended with status {status}")

    async def _run(self, argv: Sequence[str], stdout: int, stderr: int) -> int:
        async with self._started(argv, stdout, stderr) as process:
            try:
                async with asyncio.timeout(self.timeout_s):
                    return await process.wait()
            except TimeoutError:
                raise ClusterTimedOut(
                    f"{argv[0]} did not answer within {self.timeout_s:g} s.",
                    "The controller is overloaded or hangs: `sdiag`, `scontrol ping`.",
                ) from None

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
            )
        except OSError as error:
            raise ClusterUnreachable(
                f"{program} cannot be run: {error.strerror}.",
                "Install Slurm's client programs, or set cluster.slurm_bin.",
            ) from error
        try:
            _limit_output(process.pid, self.output_limit_bytes)
            yield process
        finally:
            await _end(process)

    def _too_long(self, program: str) -> ClusterError:
        return ClusterError(
            f"{program} wrote more than {self.output_limit_bytes} bytes.",
            "Its answer was not read. Look at what it prints by hand.",
        )


@contextmanager
def memory_file(name: str) -> Iterator[int]:
    """Open a file that exists in memory only, for as long as the block runs."""
    fd = os.memfd_create(name)
    try:
        yield fd
    finally:
        os.close(fd)


def _written(fd: int, most: int | None = None) -> bytes:
    size = os.fstat(fd).st_size
    return os.pread(fd, size if most is None else min(size, most), 0)


def _limit_output(pid: int, limit: int) -> None:
    """Let the kernel end the program (SIGXFSZ) when it writes more than this."""
    try:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (limit, limit))
    except ProcessLookupError:
        return  # it has finished already


async def _end(process: asyncio.subprocess.Process) -> None:
    """Leave nothing running, whether we gave up, were cancelled or are done."""
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    try:
        async with asyncio.timeout(_REAP_S):
            await process.wait()
    except TimeoutError:
        # It sits in the kernel, on a dead network file system perhaps.
        log.warning("process %d does not end although it was killed", process.pid)
