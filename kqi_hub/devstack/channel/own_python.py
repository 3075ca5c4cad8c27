"""This machine's own Python as a conda package that runs in any prefix.

Debian sends what is installed to dist-packages and /usr/local. An environment has one
place for packages, so those changes are taken back here.
"""

import hashlib
import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from kqi_hub.devstack.channel.package import PLACEHOLDER, Entry, Package
from kqi_hub.devstack.channel.wheel import PYTHON, SITE_PACKAGES

_STDLIB: Final = Path(sysconfig.get_paths()["stdlib"])
_INTERPRETER: Final = Path(sys.base_prefix) / f"bin/python{PYTHON}"
_LEFT_OUT: Final = re.compile(
    r"""
    (.*/)? (__pycache__ | tests? | idlelib | turtledemo) (/.*)?
    | (site|dist)-packages (/.*)?
    | config-[^/]* (/.*)?               # 25 MB for those who embed Python
    | lib-dynload/ _(test|xxtest) .*
    # The three by which Debian bends installs to its own folders.
    | EXTERNALLY-MANAGED | sitecustomize\.py | _distutils_system_mod\.py
    """,
    re.VERBOSE,
)
_SITE_PACKAGES: Final = '''\
def getsitepackages(prefixes=None):
    """Return the one folder of packages of each prefix, as Python itself does."""
    version = "python%d.%d" % sys.version_info[:2]
    return [
        os.path.join(prefix, "lib", version, "site-packages")
        for prefix in dict.fromkeys(PREFIXES if prefixes is None else prefixes)
        if prefix
    ]


'''
# site.py is also frozen into the interpreter, and that is the one that runs. What is
# put in its place has the same length and leads to the one folder.
_FROZEN_SITE: Final = {
    b"dist-packages": b"site-packages",
    b"local/lib": b"./././lib",
}
_SCHEMES: Final = """\
def _get_preferred_schemes():
    return {"prefix": "posix_prefix", "home": "posix_home", "user": "posix_user"}


"""


class UnknownPython(Exception):
    """The machine's Python is not made as expected; the message says where."""


def fingerprint() -> str:
    """Return a mark of the machine's Python that changes with any of its files."""
    mark = hashlib.sha256(sys.version.encode())
    for path in [_INTERPRETER, *_files()]:
        seen = path.lstat()
        mark.update(f"{path}\0{seen.st_size}\0{seen.st_mtime_ns}\n".encode())
    return mark.hexdigest()


def python_package(mark: str, patchelf: Path) -> Package:
    """Return the machine's Python; `mark` becomes part of its build string."""
    version = ".".join(map(str, sys.version_info[:3]))
    return Package(
        name="python",
        version=version,
        build=f"h{mark}_0_cpython",
        depends=("__glibc >=2.17",),
        entries=(*_binaries(patchelf), *_library()),
        noarch=False,
        entry_points=(),
        summary=f"Python {version} of this machine, repacked for the demo",
        made_at=int(_INTERPRETER.stat().st_mtime),
    )


def _binaries(patchelf: Path) -> Iterator[Entry]:
    """Return bin/: the interpreter looks for libraries in its environment first.

    The path of that is in its ELF header as the placeholder, so that an install has a
    binary file to change, as it has with packages of real channels.
    """
    name = _INTERPRETER.name
    yield Entry(f"bin/{name}", _with_rpath(patchelf), executable=True)
    yield Entry("bin/python", link_to=name)
    yield Entry("bin/python3", link_to=name)


def _with_rpath(patchelf: Path) -> bytes:
    argv = [str(patchelf), "--force-rpath", "--set-rpath", f"{PLACEHOLDER}/lib"]
    argv += ["--output", "/dev/stdout", str(_INTERPRETER)]
    binary = subprocess.run(argv, capture_output=True, check=True).stdout
    for theirs, released in _FROZEN_SITE.items():
        binary = binary.replace(theirs, released)
    return binary


def _files() -> Iterator[Path]:
    for folder, folders, files in os.walk(_STDLIB):
        folders.sort()
        for name in sorted(files):
            path = Path(folder) / name
            if not _LEFT_OUT.fullmatch(path.relative_to(_STDLIB).as_posix()):
                yield path


def _library() -> Iterator[Entry]:
    for path in _files():
        name = path.relative_to(_STDLIB).as_posix()
        place = f"lib/python{PYTHON}/{name}"
        if path.is_symlink() and "/" not in str(path.readlink()):
            yield Entry(place, link_to=str(path.readlink()))
            continue
        executable = bool(path.stat().st_mode & 0o111)
        yield Entry(place, _as_released(name, path.read_bytes()), executable)
    yield Entry(f"{SITE_PACKAGES}/README.txt", b"Packages of this environment.\n")


def _as_released(name: str, data: bytes) -> bytes:
    """Return a file of the library without what Debian changed in it."""
    change: Callable[[str], str] | None = None
    if name == "site.py":
        change = _site
    elif name == "sysconfig.py":
        change = _sysconfig
    elif name.startswith("_sysconfigdata_"):
        change = _build_values
    return data if change is None else change(data.decode()).encode()


def _site(text: str) -> str:
    return _insert_before(text, "def main():\n", _SITE_PACKAGES, "site.py")


def _sysconfig(text: str) -> str:
    return _insert_before(
        text, "def get_preferred_scheme(key):\n", _SCHEMES, "sysconfig.py"
    )


def _insert_before(text: str, anchor: str, ours: str, name: str) -> str:
    """Insert a function that replaces the one before it."""
    if text.count(f"\n{anchor}") != 1:
        raise UnknownPython(
            f"{_STDLIB / name} has no line {anchor.strip()!r}: this Python is none that"
            " the demo's channel can repack. Debian 12's python3 is."
        )
    return text.replace(f"\n{anchor}", f"\n{ours}{anchor}")


def _build_values(text: str) -> str:
    """Give the values of the build the placeholder in the place of /usr."""
    ours = r"(?=/bin'|/include|/lib/python|')"
    return re.sub(rf"(?<=': '){re.escape(sys.base_prefix)}{ours}", PLACEHOLDER, text)
