"""Compile an environment's modules, once for all of a person's environments.

Installers of conda packages compile every time, which takes longer than all the rest.
Here a package's bytecode is kept beside the package cache and linked from there, so a
second environment and a reset get it at once.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from conda_bootstrap import bytecode_worker, sizes
from conda_bootstrap.json_files import read_object
from conda_bootstrap.marker import read_marker
from conda_bootstrap.places import Places, check_own

_WORKER: Final = Path(bytecode_worker.__file__)
_VERSION: Final = (
    "import sys, importlib.util as u; "
    "print(sys.implementation.cache_tag, u.MAGIC_NUMBER.hex())"
)
_MOST_PROCESSES: Final = 8
_NICE: Final = 10
_ANSWER_S: Final = 30.0
# Nobody imports the tests of a library; where they are imported, Python compiles them.
_TESTS: Final = frozenset({"test", "tests"})

Told = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Compiled:
    """How many modules have their bytecode now, and how many had to be compiled."""

    modules: int
    compiled: int


@dataclass(frozen=True, slots=True)
class _Module:
    """A source, where its bytecode is kept, and where Python looks for it."""

    source: Path
    kept: Path
    wanted: Path


def compile_modules(
    prefix: Path, cache: Path, tell: Told = lambda done, total: None
) -> Compiled:
    """Give every module of an environment its bytecode; safe to be killed and rerun.

    The environment works without it, so whatever cannot be done is left out.
    """
    tag, folder = _python(prefix, cache)
    modules = [one for one in _modules(prefix, folder, tag) if not one.wanted.exists()]
    missing = [one for one in modules if not one.kept.exists()]
    if missing:
        for place in {one.kept.parent for one in missing}:
            place.mkdir(parents=True, exist_ok=True)
        _compile(prefix, missing, tell)
    return Compiled(sum(_link(one) for one in modules), len(missing))


def in_background(places: Places, name: str) -> None:
    """Do it in a process of its own that goes on when this one has ended."""
    with suppress(OSError):
        subprocess.Popen(
            (sys.executable, "-I", "-m", __name__, str(places.scratch), name),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
        )


def cache_of(places: Places) -> Path:
    """Return where bytecode is kept."""
    return places.own / "bytecode"


def _python(prefix: Path, cache: Path) -> tuple[str, Path]:
    """Return the name that Python gives its bytecode, and the folder for its kind."""
    argv = (str(prefix / "bin/python"), "-I", "-S", "-c", _VERSION)
    done = subprocess.run(
        argv, capture_output=True, text=True, check=True, timeout=_ANSWER_S
    )
    tag, magic = done.stdout.split()
    return tag, cache / f"{tag}-{magic}"


def _modules(prefix: Path, folder: Path, tag: str) -> Iterator[_Module]:
    """Name the sources of all packages that did not bring their bytecode along."""
    for file in sorted(prefix.glob("conda-meta/*.json")):
        record = read_object(file)
        brought = _texts(record, "files")
        compiled = {name for name in brought if name.endswith(".pyc")}
        package = folder / _key(record)
        for name in brought:
            wanted = _pyc(name, tag)
            if wanted and wanted not in compiled and _is_module(name):
                digest = hashlib.sha256(name.encode(errors="surrogateescape"))
                kept = package / f"{digest.hexdigest()[:32]}.pyc"
                yield _Module(prefix / name, kept, prefix / wanted)


def _is_module(name: str) -> bool:
    """Tell from its path whether a file is likely to be imported."""
    parts = name.split("/")
    return parts[0] == "lib" and not _TESTS.intersection(parts) and ".." not in parts


def _pyc(name: str, tag: str) -> str:
    folder, _, file = name.rpartition("/")
    stem, _, suffix = file.rpartition(".")
    return f"{folder}/__pycache__/{stem}.{tag}.pyc" if stem and suffix == "py" else ""


def _key(record: dict[str, Any]) -> str:
    """Name a package by all that its content depends on."""
    parts = [record.get(key) for key in ("fn", "sha256", "md5", "url")]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]


def _texts(record: dict[str, Any], key: str) -> list[str]:
    found = record.get(key)
    return [one for one in found if isinstance(one, str)] if found else []


def _compile(prefix: Path, modules: Sequence[_Module], tell: Told) -> None:
    """Share the modules out among as many processes as there are CPUs."""
    count = min(len(os.sched_getaffinity(0)), _MOST_PROCESSES, len(modules))
    done = [0] * count

    def work(number: int) -> None:
        for so_far in _worker(prefix, modules[number::count]):
            done[number] = so_far
            tell(sum(done), len(modules))

    with ThreadPoolExecutor(count) as pool:
        list(pool.map(work, range(count)))


def _worker(prefix: Path, modules: Sequence[_Module]) -> Iterator[int]:
    argv = (str(prefix / "bin/python"), "-I", "-S", str(_WORKER))
    with tempfile.TemporaryFile("w+", encoding="ascii") as order:
        for one in modules:
            order.write(json.dumps([str(one.source), str(one.kept)]) + "\n")
        order.seek(0)
        with subprocess.Popen(
            argv,
            stdin=order,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as process:
            # Of a worker that dies the rest stays uncompiled.
            yield from (int(line) for line in process.stdout or ())


def _link(module: _Module) -> bool:
    """Give a module its bytecode; False when the environment does not take it."""
    try:
        module.wanted.parent.mkdir(exist_ok=True)
        os.link(module.kept, module.wanted)
    except FileExistsError:
        return True
    except FileNotFoundError:
        return False
    except OSError:
        with suppress(OSError):
            shutil.copyfile(module.kept, module.wanted)
            return True
        return False
    return True


def _main(scratch: str, name: str) -> None:
    os.nice(_NICE)
    places = Places(Path(scratch))
    check_own(places)
    prefix = places.environment(name)
    if read_marker(prefix) is not None:
        with suppress(OSError, ValueError, subprocess.SubprocessError):
            compile_modules(prefix, cache_of(places))
        with suppress(OSError):
            sizes.counted(places, name)


if __name__ == "__main__":
    _main(*sys.argv[1:])
