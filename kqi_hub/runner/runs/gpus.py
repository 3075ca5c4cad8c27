"""What the GPUs of a job are doing, by an nvidia-smi that tells it again and again."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

# Starting the program costs more than asking: it is started once, and goes on.
EVERY_S: Final = 10
_OURS: Final = ("CUDA_VISIBLE_DEVICES", "SLURM_JOB_GPUS")
_FIT: Final = re.compile(r"[A-Za-z0-9,/._-]{1,2000}", re.ASCII)
_PIECE: Final = 64 * 1024
_LONGEST_LINE: Final = 200
_MOST_PERCENT: Final = 100.0
_MOST_MB: Final = 10_000_000.0


@dataclass(frozen=True, slots=True)
class GpuUse:
    """The mean over a job's GPUs, and the memory of all of them."""

    percent: float
    memory_mb: float


class Gpus:
    """The GPUs of this job; without any, or without the program, nothing is told."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._process = _started(environ)
        self._rest = b""
        # What each GPU said last.
        self._known: dict[str, tuple[float, float]] = {}

    @property
    def pids(self) -> set[int]:
        """Return the numbers of the processes that this needs."""
        return set() if self._process is None else {self._process.pid}

    def read(self) -> GpuUse | None:
        """Return what was told last; None while nothing was."""
        for line in self._lines():
            self._note(line)
        if not self._known:
            return None
        percents, megabytes = zip(*self._known.values(), strict=True)
        return GpuUse(sum(percents) / len(percents), sum(megabytes))

    def close(self) -> None:
        """End the program."""
        process, self._process = self._process, None
        if process is None or process.stdout is None:
            return
        process.stdout.close()
        # Somebody else may have waited for it: then its number is nobody's any more.
        if process.poll() is None:
            process.kill()
            process.wait()

    def _lines(self) -> list[bytes]:
        if self._process is None or self._process.stdout is None:
            return []
        try:
            raw = os.read(self._process.stdout.fileno(), _PIECE)
        except BlockingIOError:
            return []
        if not raw:
            self._known.clear()  # it has ended: what it said is of another time
        *lines, self._rest = (self._rest + raw).split(b"\n")
        self._rest = self._rest[:_LONGEST_LINE]
        return lines

    def _note(self, line: bytes) -> None:
        """Take over a line such as `0, 37, 2048`; parts of a GPU have no percentage."""
        name, *told = line.decode(errors="replace").split(",")
        try:
            percent, megabytes = map(float, told)
        except ValueError:
            return
        if 0 <= percent <= _MOST_PERCENT and 0 <= megabytes <= _MOST_MB:
            self._known[name.strip()] = (percent, megabytes)


def _started(environ: Mapping[str, str]) -> "subprocess.Popen[bytes] | None":
    ours = next((environ[name] for name in _OURS if environ.get(name)), "")
    program = shutil.which("nvidia-smi", path=environ.get("PATH"))
    if program is None or _FIT.fullmatch(ours) is None:
        return None
    fields = "index,utilization.gpu,memory.used"
    buffer = shutil.which("stdbuf", path=environ.get("PATH"))
    argv = [buffer, "-oL", program] if buffer else [program]
    argv += [f"--query-gpu={fields}", "--format=csv,noheader,nounits"]
    try:
        process = subprocess.Popen(
            [*argv, f"--id={ours}", f"--loop={EVERY_S}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except OSError:
        return None
    if process.stdout is not None:
        os.set_blocking(process.stdout.fileno(), False)
    return process
