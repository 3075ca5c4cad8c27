"""Make the kernels of a person's conda environments known to Jupyter.

Each environment has its kernels in its own folder, most of them under the same name, so
that Jupyter by itself would see one of them. Here each gets a name and a title of its
own, and its programs are found first.
"""

import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from conda_bootstrap.json_files import read_object
from conda_bootstrap.kernels import (
    kernels as kernels_of_prefix,
    lost_kernel,
    python_spec,
    visible_problem,
)
from conda_bootstrap.packages import python_version, record_stems
from conda_bootstrap.places import Places
from conda_bootstrap.states import packages_print

_PREFIX: Final = "conda-"
_PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_OTHER: Final = re.compile(r"[^a-z0-9._-]+", re.ASCII)
_PYTHONS: Final = ("python", "python3")
_LONGEST_SPEC: Final = 1 << 16
BROKEN: Final = " — broken: repair it on the Environments page"


@dataclass(frozen=True, slots=True)
class CondaKernel:
    """A kernel in a conda environment, and how Jupyter is told of it."""

    environment: str
    name: str
    spec: dict[str, Any]
    source: Path
    why: str = ""  # what is broken; empty when nothing is known to be

    @property
    def is_python(self) -> bool:
        """Tell whether it runs Python."""
        return str(self.spec.get("language", "python")) == "python"


def conda_kernels(environments: Path) -> tuple[CondaKernel, ...]:
    """Return the kernels of all environments in a folder; broken ones are left out."""
    try:
        folders = sorted(environments.iterdir())
    except OSError:
        return ()
    return tuple(kernel for folder in folders for kernel in _kernels_of(folder))


def kernel_of(environment: str, kernels: tuple[CondaKernel, ...]) -> str | None:
    """Return the name of an environment's Python kernel, or else of any of its own."""
    own = [kernel for kernel in kernels if kernel.environment == environment]
    own.sort(key=lambda kernel: not kernel.is_python)
    return own[0].name if own else None


def has_environment(environments: Path, name: str) -> bool:
    """Tell whether there is an environment of this name at all."""
    return _PLAIN.fullmatch(name) is not None and (environments / name).is_dir()


def publish(kernels: tuple[CondaKernel, ...], data: Path) -> None:
    """Write all of them to where Jupyter looks, and remove what is no longer there."""
    folder = data / "kernels"
    folder.mkdir(parents=True, exist_ok=True)
    for kernel in kernels:
        _write(kernel, folder)
    wanted = {kernel.name for kernel in kernels}
    for known in folder.iterdir():
        if known.name not in wanted and _is_ours(known):
            shutil.rmtree(known, ignore_errors=True)


def _kernels_of(environment: Path) -> Iterator[CondaKernel]:
    specs = sorted(environment.glob("share/jupyter/kernels/*/kernel.json"))
    if not specs and lost_kernel(environment):
        yield _lost(environment)
    why = _problem(environment) if specs else ""
    for file in specs:
        try:
            spec = _adapted(json.loads(_short_text(file)), environment)
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            continue
        name = _kernel_name(environment.name, file.parent.name, len(specs))
        if why:
            spec["display_name"] += BROKEN
            spec["metadata"]["kqi"]["broken"] = why
        yield CondaKernel(environment.name, name, spec, file.parent, why)


def _lost(environment: Path) -> CondaKernel:
    """Return a kernel in the place of one that was removed, for it to be missed."""
    spec = _adapted(python_spec(environment), environment)
    why = _problem(environment)
    spec["display_name"] += BROKEN
    spec["metadata"]["kqi"]["broken"] = why
    name = _kernel_name(environment.name, "python3", 1)
    return CondaKernel(environment.name, name, spec, environment, why)


def _problem(environment: Path) -> str:
    """Return what its files show to be broken, or what was found out of it before."""
    try:
        has_python = python_version(record_stems(environment)) is not None
        found = kernels_of_prefix(environment)
        why = visible_problem(environment, found, has_python)
        return why.text if why else _noted(environment)
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return ""  # nothing is known of it


def _noted(environment: Path) -> str:
    """Return what was seen when it was last tried, unless it has changed since."""
    file = Places(environment.parents[2]).note("verified", environment.name)
    told = read_object(file) if file.is_file() else {}
    is_fresh = told.get("packages_print") == packages_print(environment)
    return str(told["why"]["text"]) if is_fresh and told.get("why") else ""


def _short_text(file: Path) -> str:
    with file.open(encoding="utf-8") as stream:
        return stream.read(_LONGEST_SPEC)


def _adapted(spec: dict[str, Any], environment: Path) -> dict[str, Any]:
    """Return a spec with absolute programs, the environment's PATH, and its name."""
    argv = [str(part) for part in spec["argv"]]
    if argv[0] in _PYTHONS:
        argv[0] = str(environment / "bin" / argv[0])
    title = str(spec.get("display_name") or "Python 3")
    if environment.name not in title:
        title = f"{title} ({environment.name})"
    own = {
        "PATH": f"{environment / 'bin'}:${{PATH}}",
        "CONDA_PREFIX": str(environment),
        "CONDA_DEFAULT_ENV": environment.name,
    }
    notes = dict(spec.get("metadata") or {}) | {"kqi": {"prefix": str(environment)}}
    extra = dict(spec.get("env") or {})
    return spec | {
        "argv": argv,
        "display_name": title,
        "env": own | extra,
        "metadata": notes,
    }


def _kernel_name(environment: str, kernel: str, of_all: int) -> str:
    """Return a name that Jupyter takes and that no other environment's kernel has."""
    both = environment if of_all == 1 else f"{environment}-{kernel}"
    plain = _OTHER.sub("-", both.lower())
    if plain == both:
        return _PREFIX + plain
    digest = hashlib.sha256(both.encode(errors="surrogateescape")).hexdigest()[:8]
    return f"{_PREFIX}{plain}-{digest}"


def _write(kernel: CondaKernel, folder: Path) -> None:
    """Write one, all at once: another session may read it meanwhile."""
    text = json.dumps(kernel.spec, indent=1, ensure_ascii=True)
    place = folder / kernel.name
    place.mkdir(exist_ok=True)
    target = place / "kernel.json"
    if target.is_file() and target.read_text(encoding="utf-8") == text:
        return
    with tempfile.NamedTemporaryFile(
        "w", dir=place, encoding="utf-8", delete=False
    ) as stream:
        stream.write(text)
    Path(stream.name).replace(target)
    for logo in kernel.source.glob("logo-*"):
        if not (place / logo.name).is_symlink():
            (place / logo.name).symlink_to(logo)


def _is_ours(place: Path) -> bool:
    if not place.name.startswith(_PREFIX):
        return False
    try:
        spec = json.loads(_short_text(place / "kernel.json"))
        return "prefix" in spec["metadata"]["kqi"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
