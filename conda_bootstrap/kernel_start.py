"""Really start one kernel and ask it something: the only module with jupyter_client.

Run as a process of its own (`python -I -m conda_bootstrap.kernel_start PREFIX KERNEL
SECONDS`), so that a kernel that hangs takes nothing else with it. Prints one JSON line.
"""

import json
import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

from conda_bootstrap.kernels import Kernel, kernels

_LAST_CHARS: Final = 600
_QUESTION: Final = "__import__('sys').prefix"


def main(argv: list[str]) -> int:
    """Start a kernel; print whether it answered."""
    # The end of this process is the kernel's end too, by the way of `finally`.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))
    prefix, name, seconds = Path(argv[0]), argv[1], float(argv[2])
    kernel = next(one for one in kernels(prefix) if one.name == name)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="kqi-verify-") as folder:
        error = _problem(prefix, kernel, Path(folder), seconds)
    told = {"error": error, "seconds": round(time.monotonic() - began, 2)}
    sys.stdout.write(json.dumps(told) + "\n")
    return 0


def _problem(prefix: Path, kernel: Kernel, folder: Path, seconds: float) -> str | None:
    """Return why a kernel did not answer; None when it did."""
    manager = KernelManager(
        kernel_name=kernel.name,
        kernel_spec_manager=_only(kernel, folder),
        connection_file=str(folder / "connection.json"),
    )
    with (folder / "stderr").open("w+b") as stderr:
        try:
            manager.start_kernel(
                stderr=stderr,
                stdout=stderr,
                cwd=str(folder),
                env=_environment(prefix, kernel, folder),
            )
            return _answer(manager, prefix, kernel, seconds)
        except (RuntimeError, OSError, TimeoutError) as error:
            stderr.seek(0)
            said = stderr.read().decode(errors="replace").strip()
            return (said[-_LAST_CHARS:] or str(error)).strip()
        finally:
            if manager.has_kernel:
                manager.shutdown_kernel(now=True)


def _only(kernel: Kernel, folder: Path) -> Any:
    """Return a finder that knows this kernel alone, begun with its own program.

    jupyter_client would run a plain `python` with the Python that it runs in itself.
    """
    place = folder / "kernels" / kernel.name
    place.mkdir(parents=True)
    spec = kernel.spec | {"argv": list(kernel.argv)}
    (place / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    return KernelSpecManager(
        kernel_dirs=[str(folder / "kernels")], ensure_native_kernel=False
    )


def _environment(prefix: Path, kernel: Kernel, folder: Path) -> dict[str, str]:
    """Return the variables: as in a session, but nothing of the person's profile."""
    told = {
        key: one for key, one in os.environ.items() if not key.startswith("JUPYTER")
    }
    told |= {
        "PATH": f"{prefix / 'bin'}:{os.environ.get('PATH', '/usr/bin:/bin')}",
        "CONDA_PREFIX": str(prefix),
        "CONDA_DEFAULT_ENV": prefix.name,
        "IPYTHONDIR": str(folder / "ipython"),
    }
    return told


def _answer(
    manager: KernelManager, prefix: Path, kernel: Kernel, seconds: float
) -> str | None:
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=seconds)
        if not kernel.is_python:
            return None
        reply = client.execute(
            "", user_expressions={"prefix": _QUESTION}, reply=True, timeout=seconds
        )
        told = reply["content"]["user_expressions"]["prefix"]
    finally:
        client.stop_channels()
    if told.get("status") != "ok":
        return f"It answers with an error: {told.get('ename')}: {told.get('evalue')}"
    runs = told["data"]["text/plain"].strip("'\"")
    if os.path.realpath(runs) != os.path.realpath(prefix):
        return f"It runs the Python of {runs}, not that of {prefix}."
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
