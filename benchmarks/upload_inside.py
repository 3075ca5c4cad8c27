"""Send files in each way, in turn; runs inside the cluster, as root.

python -m benchmarks.upload_inside
"""

import base64
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

import httpx2
from playwright.sync_api import Page

from benchmarks import upload_browser
from benchmarks.login_inside import pid_of
from benchmarks.login_peer import free_port
from benchmarks.our_portal import our_portal
from kqi_hub.sdk.client import Client

SMALL_FILES: Final = 10_000
SMALL_BYTES: Final = 1000
LARGE_BYTES: Final = 2 * 10**9
ROUNDS: Final = 3
ALICE, TENANT = "alice", "vision"
# On the file system of scratch, so that cp does what the store does.
WORK: Final = Path("/scratch/alice/kqi/bench-upload")
_PIECE: Final = 1024 * 1024
_AT_ONCE: Final = 4
_READY_S: Final = 60.0
_SOURCES: Final = ("small", "large")

Times = dict[str, list[float]]


class Failed(Exception):
    """Something that was measured did not work."""


@dataclass(frozen=True)
class Doors:
    """Where files are sent to: our portal, by `kqi` and by a browser, and the peer."""

    base: str
    token: str
    lab: str
    # None where there is no Chromium.
    page: Page | None


def main() -> None:
    portal = our_portal(ALICE)
    times: Times = {}
    WORK.mkdir(parents=True, exist_ok=True)
    try:
        fill(WORK)
        with jupyterlab(WORK / "peer") as lab, browser(portal.base) as page:
            doors = Doors(portal.base, portal.token, lab, page)
            for number in range(ROUNDS):
                for what in _SOURCES:
                    one_round(doors, what, number, times)
            # Before the browser ends: it is no command of ours.
            held = memory()
        figures = {
            **{name: told(name, found) for name, found in times.items()},
            "memory": held,
        }
    finally:
        shutil.rmtree(WORK)
    print(json.dumps(figures))


@contextmanager
def browser(base: str) -> Iterator[Page | None]:
    """Open a browser in which the person has logged in, where there is one."""
    if not Path(upload_browser.CHROMIUM).exists():
        yield None
        return
    with upload_browser.signed_in(base, ALICE) as page:
        yield page


def one_round(doors: Doors, what: str, number: int, times: Times) -> None:
    """Measure each way once; what one leaves is taken away before the next."""
    source, copy = WORK / what, WORK / "copy"

    def note(way: str, work: Callable[[], object]) -> None:
        os.sync()
        began = time.monotonic()
        work()
        times.setdefault(f"{way}, {what}", []).append(time.monotonic() - began)

    made: list[int] = []
    note("kqi", lambda: made.append(send(doors.base, doors.token, source)))
    forget(doors, made[0])
    if doors.page is not None:
        os.sync()
        # From pressing the button: choosing the folder is the person's own time.
        data, took = upload_browser.send(doors.page, doors.base, TENANT, source)
        times.setdefault(f"browser, {what}", []).append(took)
        forget(doors, data)
    note("cp", lambda: run("cp", "-r", str(source), str(copy)))
    shutil.rmtree(copy)
    note("cp + sync", lambda: flushed_copy(source, copy))
    shutil.rmtree(copy)
    # The peer is slow and steady: once is enough for what takes minutes.
    if what == "small" or number == 0:
        note("jupyterlab", lambda: send_to_lab(doors.lab, source))
        shutil.rmtree(WORK / "peer" / what)


def forget(doors: Doors, data: int) -> None:
    """Delete data: what the store has already would not be written again."""
    with Client(doors.base, doors.token) as portal:
        portal.delete_data(data)


def fill(place: Path) -> None:
    """Make what is sent."""
    (place / "peer").mkdir()
    for folder in range(100):
        inside = place / "small" / f"{folder:02}"
        inside.mkdir(parents=True)
        for number in range(SMALL_FILES // 100):
            (inside / f"{number:02}.bin").write_bytes(os.urandom(SMALL_BYTES))
    (place / "large").mkdir()
    with (place / "large" / "one.bin").open("wb") as file:
        for left in range(LARGE_BYTES, 0, -_PIECE):
            file.write(os.urandom(min(_PIECE, left)))


def send(base: str, token: str, source: Path) -> int:
    """Send a folder as a person does; return the number of the data."""
    with tempfile.TemporaryDirectory() as config:
        ran = subprocess.run(
            [
                *(sys.executable, "-m", "kqi_hub.cli.main", "data", "create", "--json"),
                *("--tenant", TENANT, "--name", source.name, "--file", f"{source}/"),
            ],
            env={
                "KQI_SERVER": base,
                "KQI_TOKEN": token,
                "KQI_CONFIG_DIR": config,
                "PYTHONPATH": "/opt/kqi-hub",
                "LANG": "C.UTF-8",
            },
            stdout=subprocess.PIPE,
            check=True,
        )
    return int(json.loads(ran.stdout)["id"])


@contextmanager
def jupyterlab(folder: Path) -> Iterator[str]:
    """Run a JupyterLab as it is shipped on a folder; give its contents' address."""
    port = free_port()
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
            *(f"--port={port}", "--IdentityProvider.token=", "--ip=127.0.0.1"),
            *(f"--ServerApp.root_dir={folder}", "--ServerApp.disable_check_xsrf=True"),
        ],
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder)},
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}/api/contents"
    try:
        until = time.monotonic() + _READY_S
        while not answers(address):
            if time.monotonic() > until:
                raise Failed("JupyterLab does not answer")
            time.sleep(0.1)
        yield address
    finally:
        server.terminate()
        server.wait()


def answers(address: str) -> bool:
    try:
        return httpx2.get(address, timeout=5).is_success
    except httpx2.TransportError:
        return False


def send_to_lab(address: str, source: Path) -> None:
    """Send a folder as JupyterLab's page does."""
    with httpx2.Client(timeout=120) as http:
        make_folder(http, f"{address}/{source.name}")
        for one in sorted(source.iterdir()):
            if one.is_dir():
                make_folder(http, f"{address}/{source.name}/{one.name}")
        files = [one for one in sorted(source.rglob("*")) if one.is_file()]

        def put(file: Path) -> None:
            path = file.relative_to(source.parent)
            put_file(http, f"{address}/{path}", file)

        with ThreadPoolExecutor(_AT_ONCE) as threads:
            for _ in threads.map(put, files):
                pass


def make_folder(http: httpx2.Client, address: str) -> None:
    http.put(address, json={"type": "directory"}).raise_for_status()


def put_file(http: httpx2.Client, address: str, file: Path) -> None:
    """Send a file: one of more than a piece in pieces, the last of them numbered -1."""
    size = file.stat().st_size
    about = {"type": "file", "format": "base64"}
    with file.open("rb") as content:
        for number in range(1, size // _PIECE + 2):
            piece = base64.b64encode(content.read(_PIECE)).decode()
            is_last = content.tell() >= size
            chunk = {} if size <= _PIECE else {"chunk": -1 if is_last else number}
            body = {**about, **chunk, "content": piece}
            http.put(address, json=body).raise_for_status()
            if is_last:
                return


def flushed_copy(source: Path, copy: Path) -> None:
    run("cp", "-r", str(source), str(copy))
    run("sync", "-f", str(copy))


def run(*words: str) -> None:
    subprocess.run(words, check=True)


def told(name: str, found: list[float]) -> dict[str, float]:
    seconds = median(found)
    amount = LARGE_BYTES if name.endswith("large") else SMALL_FILES * SMALL_BYTES
    return {
        "median_s": round(seconds, 2),
        "most_s": round(max(found), 2),
        "MB_per_s": round(amount / seconds / 1e6, 1),
    }


def memory() -> Mapping[str, float]:
    """Return the most that the store, and the largest of the commands, ever held."""
    status = Path(f"/proc/{pid_of('-m', 'kqi_hub.store')}/status").read_text()
    [line] = [one for one in status.splitlines() if one.startswith("VmHWM")]
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return {
        "store_mb": round(int(line.split()[1]) / 1024, 1),
        "largest_child_mb": round(largest / 1024, 1),
    }


if __name__ == "__main__":
    main()
