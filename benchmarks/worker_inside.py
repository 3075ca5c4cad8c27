"""What the real worker costs, storing its pictures included; runs inside the cluster.

    python -m benchmarks.worker_inside PICTURES

Asks for one picture after the other, as people who press Refresh do, and prints JSON.
"""

import json
import sys
import time
from pathlib import Path

from benchmarks.usage import memory_mb, process_cpu_ms
from kqi_hub.bootstrap.database import open_snapshot_store
from kqi_hub.domain.ports import SnapshotStore
from kqi_hub.settings.loader import load_settings

SETTINGS = Path("/etc/kqi/kqi.toml")
LOG = Path("/opt/kqi-demo/log/worker.log")
PATIENCE_S = 150


def worker_pid() -> int:
    """Return the worker's process."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        words = (entry / "cmdline").read_bytes().split(b"\0")
        if words[1:3] == [b"-m", b"kqi_hub.worker"]:
            return int(entry.name)
    raise LookupError("no worker runs")


def next_picture(store: SnapshotStore) -> None:
    """Ask for a fresh look and return when it is stored."""
    before, until = store.freshness().sequence, time.time() + PATIENCE_S
    store.request_refresh(time.time())
    while store.freshness().sequence == before:
        if time.time() > until:
            told = "\n".join(LOG.read_text().splitlines()[-15:])
            raise TimeoutError(f"the worker takes no picture; its log:\n{told}")
        time.sleep(0.2)


def main(pictures: str) -> None:
    """Watch the worker and print its CPU for each picture, and its memory."""
    store = open_snapshot_store(load_settings(SETTINGS))
    next_picture(store)  # the first stores everything anew
    pid, count = worker_pid(), int(pictures)
    cpu_ms = process_cpu_ms(pid)
    for _ in range(count):
        next_picture(store)
    figures = {
        "pictures": count,
        "cpu_ms": round((process_cpu_ms(pid) - cpu_ms) / count, 1),
        "memory_peak_mb": memory_mb(pid, "VmHWM"),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main(*sys.argv[1:])
