"""How long a run's page takes to show the end of a long log; runs inside the cluster.

    python -m benchmarks.lists_log

A real run writes 100 MB. A person opens its page in Debian's Chromium, anew each time,
and looks until the log's last line is there.
"""

import json
import statistics
import time
from typing import Any, Final

from playwright.sync_api import Page

from benchmarks.our_portal import API, our_portal
from benchmarks.upload_browser import signed_in

_PERSON, _TENANT, _QUEUE = "alice", "vision", "cpu"
_MB: Final = 100
_LAST: Final = "this is the last line"
# Lines as trainings write them.
_COMMAND: Final = f"""python3 - <<'END'
line = "epoch 1 step 123456: loss 0.123456, accuracy 0.654321, 12.3 images a second"
for _ in range({_MB} * 10**6 // len(line)):
    print(line)
print("{_LAST}")
END"""
_OPENINGS: Final = 20
_PATIENCE_S: Final = 300.0
_LONGEST_MS: Final = 60_000.0


def main() -> None:
    portal = our_portal(_PERSON)
    with portal.another() as http:
        size = {"cpus": 1, "memory_mb": 100, "lifetime_s": 600}
        asked = {"name": "log", "tenant": _TENANT, "queue": _QUEUE}
        body = {**asked, **size, "command": _COMMAND}
        made = http.post(f"{API}/training", json=body).raise_for_status().json()
        until = time.monotonic() + _PATIENCE_S
        while (run := _read(http, made["id"]))["state"] != "completed":
            if time.monotonic() > until:
                raise TimeoutError(f"the run has not ended: {run['state']}")
            time.sleep(0.5)
    with signed_in(portal.base, _PERSON) as page:
        address = f"{portal.base}/services/portal/training/{made['id']}"
        times = [_opened(page, f"{address}?tenant={_TENANT}") for _ in range(_OPENINGS)]
    # The first one waits for the agent, which starts when it is needed.
    told = {
        "mb": _MB,
        "first": round(times[0]),
        "p50": round(statistics.median(times[1:])),
        "longest": round(max(times[1:])),
    }
    print(json.dumps(told))


def _read(http: Any, number: int) -> dict[str, Any]:
    told: dict[str, Any] = (
        http.get(f"{API}/training/{number}").raise_for_status().json()
    )
    return told


def _opened(page: Page, address: str) -> float:
    """Return how many ms it takes until the end of the log is seen."""
    page.goto("about:blank")
    began = time.monotonic()
    page.goto(address)
    page.locator(".log code").filter(has_text=_LAST).wait_for(timeout=_LONGEST_MS)
    return (time.monotonic() - began) * 1000


if __name__ == "__main__":
    main()
