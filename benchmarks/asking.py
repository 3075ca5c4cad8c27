"""Ask a database the same again and again, in a process set up as the portal's is."""

import statistics
import time
from collections.abc import Callable
from typing import Final

# Of fewer, the slowest one would be called p99.
TIMES: Final = 100


def timed(call: Callable[[], object]) -> dict[str, float]:
    """Return milliseconds of calls by the clock, and of the answering thread (cpu).

    The first one is told apart: it may have to wait for what lies on the disk.
    """
    times, cpu = [], []
    for _ in range(TIMES):
        start, began = time.perf_counter(), time.thread_time()
        call()
        cpu.append((time.thread_time() - began) * 1000)
        times.append((time.perf_counter() - start) * 1000)
    return {
        "p50": round(statistics.median(times), 2),
        "p99": _p99(times),
        "first": round(times[0], 2),
        "cpu_p50": round(statistics.median(cpu), 2),
        "cpu_p99": _p99(cpu),
    }


def _p99(times: list[float]) -> float:
    return round(statistics.quantiles(times, n=100, method="inclusive")[98], 2)
