"""What `pip install` of this project takes, brings and leaves behind."""

import ast
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import metadata
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES = [
    "kqi_hub",
    "handlers",
    "spawners",
    "slurm_templates",
    "hub_config",
    "conda_bootstrap",
]
EXTRAS: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]
OF_THE_SERVER = {
    "alembic",
    "jupyterhub",
    "ldap3",
    "psycopg",
    "pydantic",
    "pyotp",
    "sqlalchemy",
    "tornado",
}


@cache
def tracked_files() -> frozenset[str]:
    # Tests may run as root in somebody else's checkout, which git refuses by default.
    command = ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z", "--", *PACKAGES]
    listing = subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return frozenset(listing.stdout.decode().split("\0")[:-1])


def files_of_wheel(root: Path, into: Path) -> set[str]:
    [wheel] = WheelBuilder(str(root)).build(directory=str(into), versions=["standard"])
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def foreign_owners(
    names: Iterable[str], owners: Mapping[str, Sequence[str]]
) -> dict[str, set[str]]:
    """Return the names that other distributions ship, with those distributions."""
    found = {name: set(owners.get(name, ())) - {"kqi-hub"} for name in names}
    return {name: others for name, others in found.items() if others}


def test_no_other_distribution_ships_one_of_our_package_names() -> None:
    assert foreign_owners(PACKAGES, metadata.packages_distributions()) == {}


def test_a_foreign_package_of_our_name_is_noticed() -> None:
    owners = {"handlers": ["kqi-hub", "other"], "spawners": ["kqi-hub"]}
    assert foreign_owners(PACKAGES, owners) == {"handlers": {"other"}}


def test_the_project_ships_the_six_packages_and_refuses_publication() -> None:
    assert PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == PACKAGES
    assert "Private :: Do Not Upload" in PROJECT["project"]["classifiers"]


def test_a_wheel_holds_exactly_what_git_tracks_in_the_packages(tmp_path: Path) -> None:
    shipped = files_of_wheel(ROOT, tmp_path)
    assert tracked_files() - shipped == set(), "the wheel lacks these"
    assert shipped - tracked_files() == set(), (
        "git does not know these: `git add` them, ignore them or remove them"
    )


def test_what_a_running_hub_leaves_behind_stays_out_of_a_wheel(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    for name in ["pyproject.toml", "README.md", "LICENSE", *tracked_files()]:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, copy / name)
    for name in ["jupyterhub_cookie_secret", "kqi.sqlite", "hub.pid", "hub.log"]:
        (copy / "hub_config" / name).write_text("left behind")
    (copy / "hub_config" / "page.html").write_text("wanted")
    extra = files_of_wheel(copy, tmp_path) - tracked_files()
    assert extra == {"hub_config/page.html"}


def test_python_3_11_is_enough_and_an_older_one_is_refused() -> None:
    supported = SpecifierSet(PROJECT["project"]["requires-python"])
    assert [v for v in ("3.8", "3.10", "3.11", "3.12", "3.13") if v in supported] == [
        "3.11",
        "3.12",
        "3.13",
    ]
    client = [ROOT / name for name in tracked_files() if _is_of_the_client(name)]
    assert client
    for file in client:
        ast.parse(file.read_text(encoding="utf-8"), str(file), feature_version=(3, 11))


def _is_of_the_client(name: str) -> bool:
    return name.startswith(("kqi_hub/cli/", "kqi_hub/sdk/")) and name.endswith(".py")


def everything_needed_by(names: Iterable[str]) -> set[str]:
    """Follow the installed distributions' own requirements to the end."""
    needed: set[str] = set()
    waiting = [Requirement(name) for name in names]
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if name in needed or not wanted(requirement, set()):
            continue
        needed.add(name)
        waiting += [
            inner
            for inner in map(Requirement, metadata.requires(name) or [])
            if wanted(inner, requirement.extras)
        ]
    return needed


def wanted(requirement: Requirement, extras: set[str]) -> bool:
    marker = requirement.marker
    return marker is None or any(
        marker.evaluate({"extra": extra}) for extra in ["", *extras]
    )


def test_the_client_extra_brings_nothing_of_the_server() -> None:
    assert everything_needed_by(EXTRAS["client"]) & OF_THE_SERVER == set()


def test_following_requirements_reaches_the_server_from_its_extra() -> None:
    assert everything_needed_by(EXTRAS["server"]) >= OF_THE_SERVER


def modules_imported_by(file: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            found.add(node.module)
    return found


def test_the_client_imports_only_itself_and_what_its_extra_brings() -> None:
    owners = metadata.packages_distributions()
    own = ("kqi_hub", "kqi_hub.cli", "kqi_hub.sdk")
    brought = everything_needed_by(EXTRAS["client"])
    for part in ["cli", "sdk"]:
        for file in (ROOT / "kqi_hub" / part).rglob("*.py"):
            for module in modules_imported_by(file):
                top = module.partition(".")[0]
                distributions = {canonicalize_name(d) for d in owners.get(top, ())}
                assert (
                    module.startswith(own[1:])
                    or module in own
                    or top in sys.stdlib_module_names
                    or distributions & brought
                ), f"{file.relative_to(ROOT)} imports {module}"


def module_names(package: str) -> list[str]:
    """Name a package's modules, or the one module that stands under this name."""
    path = ROOT / package.replace(".", "/")
    if not path.is_dir():
        return [package]
    relative = (file.relative_to(ROOT).with_suffix("") for file in path.rglob("*.py"))
    return sorted(
        ".".join(file.parts).removesuffix(".__init__")
        for file in relative
        if file.name != "__main__"
    )


IMPORT_ALONE = """
import importlib, sys
sys.path.insert(0, sys.argv[1])
for name in sys.argv[2:]:
    importlib.import_module(name)
"""


def import_alone(root: Path, *names: str) -> subprocess.CompletedProcess[str]:
    """Import with nothing on the path but the standard library and one folder."""
    command = [sys.executable, "-I", "-S", "-c", IMPORT_ALONE, str(root), *names]
    return subprocess.run(command, check=False, capture_output=True, text=True)


# Of conda_bootstrap: the installer it ships with, the operator's side, which solves
# with that, and what other programs read or run.
NEED_MORE = (
    "conda_bootstrap.backends.rattler",
    "conda_bootstrap.backends.rattler_records",
    "conda_bootstrap.kernel_start",
    "conda_bootstrap.profile_slurm",
    "conda_bootstrap.site",
)


@pytest.mark.parametrize(
    "package", ["kqi_hub.runner", "kqi_hub.runas.helper", "conda_bootstrap"]
)
def test_what_runs_outside_the_environment_needs_only_python(package: str) -> None:
    more = tuple(f"{name}." for name in NEED_MORE)
    names = [name for name in module_names(package) if not f"{name}.".startswith(more)]
    assert names
    ran = import_alone(ROOT, *names)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_a_module_that_needs_more_than_python_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "needy.py").write_text("import click\n")
    ran = import_alone(tmp_path, "needy")
    assert ran.returncode != 0
    assert "No module named 'click'" in ran.stderr


def functions_defined_in(module: str) -> set[str]:
    file = ROOT / f"{module.replace('.', '/')}.py"
    body = ast.parse(file.read_text(encoding="utf-8")).body
    return {node.name for node in body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize(("command", "target"), PROJECT["project"]["scripts"].items())
def test_every_installed_command_has_its_function(command: str, target: str) -> None:
    module, _, function = target.partition(":")
    assert function in functions_defined_in(module), command
