"""Sample what a run uses, beside its command; nothing of it can make the run fail.

A thread of its own: a file system that hangs holds up this, and not the run.
"""

import os
import resource
import stat
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TextIO

from kqi_hub.runner.runs.gpus import Gpus
from kqi_hub.runner.runs.use_lines import FILE, HEADER, Sample, Sums
from kqi_hub.runner.runs.use_sources import Source, source_of

FIRST_S: Final = 5.0
# After so many lines the time between two doubles: thirty days have 1,800 lines.
LINES_A_STEP: Final = 150
MOST_LINES: Final = 1_990
# Short runs are seen, too.
_AT_ONCE_S: Final = (0.5, 1.5, 3.0)
# A look at a node of many processes costs more: at most one part in so many.
_COST: Final = 300.0
_LEAVING_S: Final = 2.0
_KB: Final = 1024
_OWN: Final = (
    os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
    | os.O_CLOEXEC
)  # fmt: skip


class Use:
    """The figures of one run while this is entered; `told` afterwards."""

    def __init__(
        self, folder: Path, environ: Mapping[str, str], source: Source | None = None
    ) -> None:
        self._source = source_of(environ) if source is None else source
        self._gpus = Gpus(environ)
        self._file = folder / FILE
        self._sums = Sums(time.time(), self._source.name)
        self._begun_s, self._cpu_s = self._start(), 0.0
        self._began = self._at = time.monotonic()
        self._memory_mb = 0.0
        self._highest = _highest()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True, name="use")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        try:
            self._thread.join(_LEAVING_S)
        finally:
            self._gpus.close()

    @property
    def pids(self) -> set[int]:
        """Return the processes that are of this, and not of the command."""
        return self._gpus.pids

    @property
    def told(self) -> dict[str, Any] | None:
        """Return what the run has used in all; None where nothing could be read."""
        said = self._sums.told()
        if said is not None:
            said["memory_mb_max"] = max(said["memory_mb_max"], round(self._peak(), 1))
        return said

    def _peak(self) -> float:
        """Return what the biggest process held, if it was one of the command's.

        It was perhaps never there at a sample.
        """
        highest = _highest()
        return highest if highest > self._highest else 0.0

    def _start(self) -> float:
        try:
            return self._source.read().cpu_s
        except (OSError, ValueError, KeyError):
            return 0.0

    def _work(self) -> None:
        lines = 0
        file = self._opened()
        try:
            while not self._over.wait(pause_s(lines, time.thread_time())):
                file = self._look(file if lines < MOST_LINES else None)
                lines += 1
            file = self._look(file if lines < MOST_LINES else None, is_last=True)
        finally:
            _close(file)

    def _look(self, file: TextIO | None, *, is_last: bool = False) -> TextIO | None:
        """Take a sample; return the file if it can be written to the next time."""
        try:
            sample = self._sample(is_last)
        except (OSError, ValueError, KeyError):
            return file  # the next look may be better
        self._sums.add(sample)
        if file is None:
            return None
        try:
            file.write(f"{sample.line()}\n")
        except OSError:
            _close(file)
            return None
        return file

    def _sample(self, is_last: bool) -> Sample:
        """Return the figures of now; at the end, the memory of just before."""
        taken, now = self._source.read(), time.monotonic()
        self._memory_mb = self._memory_mb if is_last else taken.memory_mb
        cpu_s = max(self._cpu_s, taken.cpu_s - self._begun_s)
        cores = (cpu_s - self._cpu_s) / max(0.001, now - self._at)
        self._cpu_s, self._at = cpu_s, now
        gpu = self._gpus.read()
        figures = (None, None) if gpu is None else (gpu.percent, gpu.memory_mb)
        epoch = self._sums.began_at + now - self._began
        return Sample(epoch, cores, self._memory_mb or self._peak(), *figures)

    def _opened(self) -> TextIO | None:
        """Begin the file; None where something else is in its place, or no room."""
        try:
            handle = os.open(self._file, _OWN, 0o600)
        except OSError:
            return None
        file = os.fdopen(handle, "w", buffering=1)
        with suppress(OSError):
            if stat.S_ISREG(os.fstat(handle).st_mode):
                os.ftruncate(handle, 0)
                file.write(f"{HEADER}\n")
                return file
        _close(file)
        return None


def pause_s(lines: int, spent_s: float) -> float:
    """Return how long to wait after so many lines, which have cost so many seconds."""
    if lines < len(_AT_ONCE_S):
        return _AT_ONCE_S[lines]
    wished = FIRST_S * 2.0 ** (lines // LINES_A_STEP)
    return max(wished, _COST * spent_s / lines)


def _highest() -> float:
    """Return the most that one ended process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / _KB


def _close(file: TextIO | None) -> None:
    """Close a file; what cannot be written any more is lost."""
    with suppress(OSError):
        if file is not None:
            file.close()
