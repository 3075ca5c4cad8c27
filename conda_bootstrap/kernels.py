"""The kernels of an environment: which there are, and what can be seen to be wrong."""

import json
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from conda_bootstrap.json_files import read_text, write_json
from conda_bootstrap.packages import site_packages

_PYTHONS: Final = ("python", "python3")
_LONGEST: Final = 1 << 16
# Without these no Python kernel starts; pip has been seen to leave each of them out.
_NEEDED: Final = (
    "ipykernel",
    "IPython",
    "jupyter_client",
    "tornado",
    "traitlets",
    "zmq",
)


@dataclass(frozen=True, slots=True)
class Kernel:
    """One kernel of an environment."""

    name: str
    title: str
    argv: tuple[str, ...]
    spec: dict[str, Any]

    @property
    def is_python(self) -> bool:
        """Tell whether it runs Python."""
        return str(self.spec.get("language", "python")) == "python"


@dataclass(frozen=True, slots=True)
class Why:
    """Why something is broken: a word for programs and a sentence for people."""

    code: str
    text: str


def kernels(prefix: Path, final: Path | None = None) -> list[Kernel]:
    """Return an environment's kernels; argv is absolute as it will be when in place."""
    found = []
    for file in sorted(prefix.glob("share/jupyter/kernels/*/kernel.json")):
        try:
            spec = json.loads(read_text(file, _LONGEST))
            argv = [str(part) for part in spec["argv"]]
            if argv[0] in _PYTHONS:
                argv[0] = str((final or prefix) / "bin" / argv[0])
            title = str(spec.get("display_name") or file.parent.name)
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            continue
        found.append(Kernel(file.parent.name, title, tuple(argv), spec))
    return found


def ensure_kernel(stage: Path, final: Path) -> bool:
    """Make a kernel where the packages brought none; tell whether there is one now."""
    if kernels(stage, final):
        return True
    place = site_packages(stage)
    if place is None or not (place / "ipykernel").is_dir():
        return False
    folder = stage / "share" / "jupyter" / "kernels" / "python3"
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "kernel.json", python_spec(final))
    return True


def python_spec(prefix: Path) -> dict[str, Any]:
    """Return the kernel that ipykernel brings, as it is in an environment."""
    argv = [str(prefix / "bin" / "python"), "-m", "ipykernel_launcher"]
    return {
        "argv": [*argv, "-f", "{connection_file}"],
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
        "metadata": {"debugger": True},
    }


def lost_kernel(prefix: Path) -> Why | None:
    """Return what is to be said where pip has removed a kernel that conda knows of."""
    if any(prefix.glob("conda-meta/ipykernel-[0-9]*.json")):
        return Why(
            "kernel_lost",
            "Its kernel is gone: what the package ipykernel brought was removed, for "
            "example by pip.",
        )
    return None


def visible_problem(prefix: Path, found: list[Kernel], has_python: bool) -> Why | None:
    """Return what files alone show to be broken; nothing is started."""
    python = prefix / "bin" / "python"
    if has_python and not _is_program(python):
        return Why("no_python", f"{python} is missing or cannot be run.")
    for kernel in found:
        program = kernel.argv[0]
        if "/" in program and not _is_program(Path(program)):
            return Why(
                "kernel_program",
                f"The kernel “{kernel.title}” begins with {program}, which is missing "
                "or cannot be run.",
            )
    runs_python = has_python and any(kernel.is_python for kernel in found)
    if runs_python and (lacking := [*_lacking(prefix)]):
        return Why(
            "kernel_package",
            f"Its Python kernel needs what is missing: {', '.join(lacking)}.",
        )
    return lost_kernel(prefix) if has_python and not found else None


def _lacking(prefix: Path) -> Iterator[str]:
    place = site_packages(prefix)
    for name in _NEEDED:
        if place is None or not (place / name / "__init__.py").is_file():
            yield name


def _is_program(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.stat().st_mode) and os.access(path, os.X_OK)
    except OSError:
        return False
