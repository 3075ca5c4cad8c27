"""The demo's real packages, installed and used as people would."""

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from rattler import LockFile, install

from kqi_hub.devstack.environments import Environments
from tests.adapters.conda_site.wheels import make_wheel

PARTS = """
import sys, ssl, sqlite3, ctypes, lzma, bz2, zlib, readline, site, sysconfig
home = f"{sys.prefix}/lib/python3.11/site-packages"
assert sys.path[-1] == home, sys.path
assert all(home == __import__("os").path.abspath(one) for one in
           site.getsitepackages() if __import__("os").path.isdir(one))
assert sysconfig.get_paths()["purelib"] == home
assert sysconfig.get_config_var("prefix") == sys.prefix == sys.base_prefix
assert ssl.create_default_context().cert_store_stats() is not None
assert sqlite3.connect(":memory:").execute("select 1").fetchone() == (1,)
assert bz2.decompress(bz2.compress(b"x")) == lzma.decompress(lzma.compress(b"x"))
print(sys.prefix)
"""
SCIENCE = """
import ipykernel, ipyparallel, numpy, pandas, scipy.linalg, tensorboard
from sklearn.linear_model import LinearRegression
x = numpy.arange(6.0).reshape(-1, 1)
print(round(float(LinearRegression().fit(x, 3 * x).coef_[0, 0]), 6))
"""


@pytest.fixture(scope="module")
def prefix(
    real_site: Environments, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """Install the base `notebook` from its lock, as people's environments are."""
    place = tmp_path_factory.mktemp("people") / "envs/notebook"
    lock = LockFile.from_path(real_site.site / "bases/notebook/current/lock")
    environment = lock.environment("default")
    assert environment is not None
    (platform,) = environment.platforms()
    records = environment.conda_repodata_records_for_platform(platform)
    assert records is not None
    cache = place.parents[1] / "pkgs"
    asyncio.run(install(records, place, cache_dir=cache, show_progress=False))
    yield place
    shutil.rmtree(place.parents[1])  # 700 MB, which pytest would keep three times


def run(*argv: str | Path) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, cwd="/", check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout.strip()


@pytest.fixture
def wheel(tmp_path: Path) -> Iterator[Path]:
    yield make_wheel(tmp_path, "hello", {"hello/__init__.py": "print('hello')"})


def test_python_has_all_its_parts_and_one_place_for_packages(
    prefix: Path,
) -> None:
    assert run(prefix / "bin/python", "-I", "-c", PARTS) == str(prefix)


def test_the_prefix_is_in_the_interpreter_and_in_scripts(prefix: Path) -> None:
    binary = (prefix / "bin/python3.11").read_bytes()
    assert f"\0{prefix}/lib\0".encode() in binary
    for name in ("f2py", "jupyter", "pip"):  # a binary package's, and two noarch
        script = (prefix / "bin" / name).read_text()
        assert script.startswith(f"#!{prefix}/bin/python"), name


def test_the_packages_work_together(prefix: Path) -> None:
    assert run(prefix / "bin/python", "-I", "-c", SCIENCE) == "3.0"
    assert run(prefix / "bin/python", "-I", "-m", "pip", "check") == (
        "No broken requirements found."
    )
    assert run(prefix / "bin/jupyter", "lab", "--version")


def test_pip_installs_into_the_environment_and_takes_away_again(
    prefix: Path, wheel: Path
) -> None:
    pip = (prefix / "bin/python", "-I", "-m", "pip", "--disable-pip-version-check")
    run(*pip, "install", "--no-index", "--quiet", wheel)
    home = prefix / "lib/python3.11/site-packages/hello/__init__.py"
    assert home.is_file()
    assert run(prefix / "bin/python", "-I", "-c", "import hello") == "hello"
    run(*pip, "uninstall", "--quiet", "--yes", "hello")
    assert not home.exists()


def test_pip_can_take_a_conda_package_away(prefix: Path) -> None:
    pip = (prefix / "bin/python", "-I", "-m", "pip", "--disable-pip-version-check")
    files = run(*pip, "show", "--files", "tensorboard").splitlines()
    assert "  ../../../bin/tensorboard" in files
    run(*pip, "uninstall", "--quiet", "--yes", "tensorboard")
    assert not (prefix / "bin/tensorboard").exists()
