"""Which kernels start? Found out by starting them."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from conda_bootstrap.json_files import write_json
from conda_bootstrap.kernels import Kernel, Why, kernels, visible_problem
from conda_bootstrap.marker import now
from conda_bootstrap.packages import python_version, record_stems
from conda_bootstrap.places import Places
from conda_bootstrap.reporting import Report
from conda_bootstrap.states import packages_print

LIMIT_S: Final = 90.0
_END_S: Final = 5.0
_OWN_PACKAGES: Final = "~/.local"


def verify(
    places: Places, name: str, report: Report, limit_s: float = LIMIT_S
) -> dict[str, Any]:
    """Start every kernel of an environment, tell which answered, and remember it."""
    path = places.environment(name)
    found = kernels(path)
    seen = packages_print(path)
    report.phase("verify", f"Starting the kernels of {name}", len(found))
    started = []
    for number, kernel in enumerate(found, 1):
        started.append(_started(path, kernel, limit_s))
        report.progress(number)
    why = _why(path, found, started)
    told = {
        "verified_at": now(),
        "packages_print": seen,
        "kernels": started,
        "why": {"code": why.code, "text": why.text} if why else None,
    }
    note = places.note("verified", name)
    with contextlib.suppress(OSError):  # the answer counts, the note is for lists
        note.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_json(note, told)
    return told


def _started(path: Path, kernel: Kernel, limit_s: float) -> dict[str, Any]:
    told = {"name": kernel.name, "title": kernel.title, "hint": ""}
    answer = _start(path, kernel, limit_s, {})
    if answer["error"] and kernel.is_python:
        again = _start(path, kernel, limit_s, {"PYTHONNOUSERSITE": "1"})
        if not again["error"]:
            told["hint"] = (
                "It starts without the packages of your home: remove what pip has put "
                f"into {_OWN_PACKAGES}."
            )
    return told | {"ok": answer["error"] is None} | answer


def _start(
    path: Path, kernel: Kernel, limit_s: float, more: dict[str, str]
) -> dict[str, Any]:
    """Return how a start went: error (None is good) and seconds."""
    module = "conda_bootstrap.kernel_start"
    argv = [sys.executable, "-I", "-m", module, str(path), kernel.name, str(limit_s)]
    process = subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | more,
        start_new_session=True,
    )
    try:
        out, err = process.communicate(timeout=limit_s * 2 + 15)
        answer = json.loads(out.splitlines()[-1])
        return {"error": answer["error"], "seconds": answer["seconds"]}
    except subprocess.TimeoutExpired:
        return {"error": f"It did not answer in {limit_s:.0f} s.", "seconds": limit_s}
    except (ValueError, LookupError):
        said = err.strip().splitlines()[-1:] or [f"exit code {process.returncode}"]
        return {"error": f"It could not be tried: {said[0]}", "seconds": 0.0}
    finally:
        _end(process)


def _end(process: "subprocess.Popen[str]") -> None:
    """Have the starter end its kernel, which is in a group of its own, and then it."""
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_END_S)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _why(path: Path, found: list[Kernel], started: list[dict[str, Any]]) -> Why | None:
    stems = record_stems(path)
    if not stems:
        return Why("no_packages", f"{path} holds no conda package.")
    has_python = python_version(stems) is not None
    if why := visible_problem(path, found, has_python):
        return why
    for one in started:
        if not one["ok"]:
            last = str(one["error"]).strip().splitlines()[-1:] or [""]
            text = f"The kernel “{one['title']}” does not start: {last[0]}"
            return Why("kernel_start", f"{text} {one['hint']}".strip())
    if has_python and not found:
        return _python_problem(path)
    return None


def _python_problem(path: Path) -> Why | None:
    """Return why an environment's Python does not run, where there is no kernel."""
    argv = [str(path / "bin" / "python"), "-I", "-c", "import sys; print(sys.prefix)"]
    try:
        answer = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Why("python_start", f"Its Python does not run: {error}")
    if answer.returncode != 0:
        said = answer.stderr.strip().splitlines()[-1:] or [""]
        return Why("python_start", f"Its Python does not run: {said[0]}")
    return None
