"""The driver's libraries and tools, which belong to the node and not to an image."""

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

INSIDE: Final = "/run/kqi-gpu"
_LISTED: Final = re.compile(r"\s*(\S+) \(([^)]*)\) => (/\S+)", re.ASCII)
# What comes with NVIDIA's driver and has to be of its version.
_OF_THE_DRIVER: Final = re.compile(
    r"lib(?:cuda|cudadebugger|nvcuvid|nvoptix|nvidia-[a-z0-9-]+)\.so(?:\.[0-9.]+)?",
    re.ASCII,
)
_TOOLS: Final = ("nvidia-smi",)
_LOOK_S: Final = 10.0


def gpu_mounts(environ: Mapping[str, str]) -> list[str]:
    """Return the options that show the driver in an image; none without a driver."""
    listed = driver_libraries(_ldconfig())
    if not listed:
        return []
    argv = []
    for name, file in listed.items():
        argv += ["--ro-bind", file, f"{INSIDE}/lib/{name}"]
    for name in _TOOLS:
        if found := shutil.which(name, path=environ.get("PATH")):
            argv += ["--ro-bind", found, f"{INSIDE}/bin/{name}"]
    return argv


def driver_libraries(listed: str) -> dict[str, str]:
    """Return the driver's libraries that `ldconfig -p` lists, by their names."""
    found: dict[str, str] = {}
    for line in listed.splitlines():
        one = _LISTED.fullmatch(line)
        # Those of 32 bits are listed without a machine.
        if one and "64" in one[2] and _OF_THE_DRIVER.fullmatch(one[1]):
            found.setdefault(one[1], one[3])
    return found if any(name.startswith("libcuda.so") for name in found) else {}


def _ldconfig() -> str:
    for program in ("/sbin/ldconfig", "/usr/sbin/ldconfig"):
        if Path(program).exists():
            try:
                done = subprocess.run(
                    [program, "-p"],
                    capture_output=True,
                    timeout=_LOOK_S,
                    check=False,
                )
            except (OSError, subprocess.TimeoutExpired):
                return ""
            return done.stdout.decode(errors="replace")
    return ""
