"""Bytecode that several environments share: real Pythons, small packages."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from conda_bootstrap.bytecode import Compiled, compile_modules

LIBRARY = f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
SOURCE = "def greet():\n    return 'hello'\n"


def environment(place: Path, modules: dict[str, str], *, sha256: str = "a1") -> Path:
    """Make what an environment is to the compiler: a Python, files and a record."""
    (place / "bin").mkdir(parents=True)
    (place / "bin/python").symlink_to(sys.executable)
    for name, text in modules.items():
        file = place / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    record = {"fn": "greeter-1-0.conda", "sha256": sha256, "files": sorted(modules)}
    (place / "conda-meta").mkdir()
    (place / "conda-meta/greeter-1-0.json").write_text(json.dumps(record))
    return place


def pyc(prefix: Path, module: str) -> Path:
    return Path(importlib.util.cache_from_source(str(prefix / LIBRARY / module)))


def run(prefix: Path, code: str) -> str:
    argv = (sys.executable, "-I", "-S", "-c", f"import sys\n{code}")
    said = subprocess.run(
        (*argv, str(prefix / LIBRARY)), capture_output=True, text=True, check=True
    )
    return said.stdout.strip()


GREET = "sys.path.insert(0, sys.argv[1]); import greeter; print(greeter.greet())"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def test_a_second_environment_gets_the_first_ones_bytecode_by_link(
    tmp_path: Path, cache: Path
) -> None:
    modules = {f"{LIBRARY}/greeter.py": SOURCE}
    one = environment(tmp_path / "one", modules)
    two = environment(tmp_path / "two", modules)
    assert compile_modules(one, cache) == Compiled(modules=1, compiled=1)
    assert compile_modules(two, cache) == Compiled(modules=1, compiled=0)
    assert pyc(one, "greeter.py").samefile(pyc(two, "greeter.py"))
    assert run(two, GREET) == "hello"


def test_python_uses_the_bytecode_and_names_the_environments_own_file(
    tmp_path: Path, cache: Path
) -> None:
    modules = {f"{LIBRARY}/greeter.py": SOURCE}
    for name in ("one", "two"):
        prefix = environment(tmp_path / name, modules)
        compile_modules(prefix, cache)
    show = f"{GREET}; print(greeter.greet.__code__.co_filename)"
    before = pyc(prefix, "greeter.py").stat().st_mtime_ns
    assert run(prefix, show).splitlines() == [
        "hello",
        str(prefix / LIBRARY / "greeter.py"),
    ]
    assert pyc(prefix, "greeter.py").stat().st_mtime_ns == before


def test_a_changed_source_counts_and_the_other_environment_keeps_its_own(
    tmp_path: Path, cache: Path
) -> None:
    modules = {f"{LIBRARY}/greeter.py": SOURCE}
    one = environment(tmp_path / "one", modules)
    two = environment(tmp_path / "two", modules)
    compile_modules(one, cache)
    compile_modules(two, cache)
    (one / LIBRARY / "greeter.py").write_text(SOURCE.replace("hello", "other"))
    assert run(one, GREET) == "other"
    assert run(two, GREET) == "hello"


def test_the_same_file_of_another_package_is_compiled_for_itself(
    tmp_path: Path, cache: Path
) -> None:
    name = f"{LIBRARY}/greeter.py"
    one = environment(tmp_path / "one", {name: SOURCE})
    two = environment(
        tmp_path / "two", {name: SOURCE.replace("hello", "two")}, sha256="b2"
    )
    compile_modules(one, cache)
    assert compile_modules(two, cache).compiled == 1
    assert run(two, GREET) == "two"


@pytest.mark.parametrize(
    "name",
    [
        f"{LIBRARY}/greeter/tests/test_greet.py",
        "share/doc/example.py",
        f"{LIBRARY}/../../../outside.py",
        f"{LIBRARY}/data.json",
        f"{LIBRARY}/.py",
    ],
)
def test_what_nobody_imports_is_left_alone(
    tmp_path: Path, cache: Path, name: str
) -> None:
    prefix = environment(tmp_path / "one", {name: SOURCE})
    assert compile_modules(prefix, cache) == Compiled(modules=0, compiled=0)
    assert not list(tmp_path.rglob("*.pyc"))


def test_what_is_no_python_does_not_keep_the_rest_from_being_compiled(
    tmp_path: Path, cache: Path
) -> None:
    modules = {
        f"{LIBRARY}/greeter.py": SOURCE,
        f"{LIBRARY}/template.py": "{{ cookie }} = (\n",
        f"{LIBRARY}/bytes.py": "x = '\x00'\n",
    }
    prefix = environment(tmp_path / "one", modules)
    told: list[tuple[int, int]] = []
    compile_modules(prefix, cache, lambda done, total: told.append((done, total)))
    assert pyc(prefix, "greeter.py").exists()
    assert not pyc(prefix, "template.py").exists()
    assert told[-1] == (3, 3)
    assert not [
        one for one in cache.rglob("*") if one.is_file() and one.suffix != ".pyc"
    ]


def test_bytecode_that_a_package_brought_along_stays(
    tmp_path: Path, cache: Path
) -> None:
    brought = importlib.util.cache_from_source(f"{LIBRARY}/greeter.py")
    modules = {f"{LIBRARY}/greeter.py": SOURCE, brought: "as it came"}
    prefix = environment(tmp_path / "one", modules)
    assert compile_modules(prefix, cache) == Compiled(modules=0, compiled=0)
    assert (prefix / brought).read_text() == "as it came"


@pytest.mark.parametrize("text", ["", "[]", "{", '{"files": "all"}', '{"files": [7]}'])
def test_a_record_that_is_none_is_left_out(
    tmp_path: Path, cache: Path, text: str
) -> None:
    prefix = environment(tmp_path / "one", {f"{LIBRARY}/greeter.py": SOURCE})
    (prefix / "conda-meta/broken-1-0.json").write_text(text)
    assert compile_modules(prefix, cache).modules == 1


def test_an_environment_that_goes_away_meanwhile_is_no_error(
    tmp_path: Path, cache: Path
) -> None:
    prefix = environment(tmp_path / "one", {f"{LIBRARY}/greeter.py": SOURCE})

    def removed(done: int, total: int) -> None:
        (prefix / LIBRARY).rename(tmp_path / "gone")

    assert compile_modules(prefix, cache, removed).modules == 0
