"""The site's own conda instead of ours: a real one, and one that notes what it is told.

conda is real (24.7.1, from the package index). mamba and micromamba cannot be had
there: `NotingMamba` is a script that only shows what they would be called with.
"""

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from benchmarks.conda_peer import conda_command
from conda_bootstrap.backends.conda_cli import CondaBackend, make
from conda_bootstrap.backends.port import Work
from conda_bootstrap.errors import BootstrapError
from conda_bootstrap.places import Places
from conda_bootstrap.prefix_text import path_in_prefix
from conda_bootstrap.reporting import Report
from conda_bootstrap.site_bases import Site
from conda_bootstrap.sources import Source, from_explicit
from conda_bootstrap.stages import new_stage
from tests.adapters.conda_bootstrap.person import Person, leftovers

MD5 = "9d06342cb7a6409e83523d2a472a299c"
EXPLICIT = f"@EXPLICIT\nhttps://example.org/c/noarch/six-1-0.conda#{MD5}\n"

NOTING_MAMBA = """\
#!/bin/sh
# shows what it is called with, and makes a program that holds its path as conda's do
while [ $# -gt 0 ]; do
  echo "$1" >>"$NOTES"
  case "$1" in
  --prefix) prefix=$2 ;;
  --file) cat "$2" >>"$NOTES" ;;
  esac
  shift
done
[ -z "${FAIL:-}" ] || { echo "$FAIL"; exit 1; }
mkdir -p "$prefix/conda-meta" "$prefix/bin"
printf '#!%s/bin/python\\n' "$prefix" >"$prefix/bin/tool"
printf 'ELF\\0%s/lib\\0rest' "$prefix" >"$prefix/bin/program"
ln -s "$prefix/bin/tool" "$prefix/bin/absolute"
"""


@pytest.fixture
def places(tmp_path: Path) -> Places:
    made = Places(tmp_path / "scratch")
    made.make()
    return made


@pytest.fixture
def noting_mamba(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    program = tmp_path / "mamba"
    program.write_text(NOTING_MAMBA)
    program.chmod(0o755)
    monkeypatch.setenv("NOTES", str(tmp_path / "notes"))
    return program


def install(backend: CondaBackend, source: Source, places: Places, name: str) -> Path:
    stage = new_stage(places, name)
    found = backend.resolve(source, places)
    backend.install(found, Work(places, stage, places.environment(name)), Report())
    return stage


@pytest.mark.parametrize("name", ["r", "notebook", "a" * 40])
def test_final_path_is_in_every_file_and_link(
    places: Places, noting_mamba: Path, name: str
) -> None:
    backend = CondaBackend("mamba", str(noting_mamba), ("https://c",))
    stage = install(backend, from_explicit(EXPLICIT), places, name)
    final = str(places.environment(name))
    assert (stage / "bin/tool").read_text() == f"#!{final}/bin/python\n"
    program = (stage / "bin/program").read_bytes()
    assert program == f"ELF\0{final}/lib\0rest".encode()
    assert str((stage / "bin/absolute").readlink()) == f"{final}/bin/tool"
    assert [*places.conda.glob("~*")] == []


def test_list_is_handed_over_with_its_checksums(
    places: Places, noting_mamba: Path, tmp_path: Path
) -> None:
    backend = CondaBackend("mamba", str(noting_mamba), ())
    install(backend, from_explicit(EXPLICIT), places, "new")
    notes = (tmp_path / "notes").read_text()
    assert notes.startswith("create\n--yes\n--quiet\n--prefix\n")
    assert EXPLICIT in notes


def test_specs_are_never_taken_for_options(
    places: Places, noting_mamba: Path, tmp_path: Path
) -> None:
    backend = CondaBackend("mamba", str(noting_mamba), ("https://c",))
    install(backend, Source("specs", specs=("six", "numpy >=2")), places, "new")
    words = (tmp_path / "notes").read_text().splitlines()
    wanted = ["--override-channels", "--channel", "https://c", "--", "six", "numpy >=2"]
    assert words[-6:] == wanted


@pytest.mark.parametrize(
    ("said", "code"),
    [("OSError: [Errno 28] No space left on device", "disk_full"), ("no", "install")],
)
def test_failure_is_told_and_leaves_what_a_sweep_finds(
    places: Places,
    noting_mamba: Path,
    monkeypatch: pytest.MonkeyPatch,
    said: str,
    code: str,
) -> None:
    monkeypatch.setenv("FAIL", said)
    backend = CondaBackend("mamba", str(noting_mamba), ())
    with pytest.raises(BootstrapError) as caught:
        install(backend, from_explicit(EXPLICIT), places, "new")
    assert caught.value.code == code


@pytest.mark.parametrize("path", [None, "/nowhere/conda", "/etc/passwd"])
def test_program_that_is_not_there_is_told(
    path: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    site = Site(Path("/x"), (), "", (), "micromamba", path)
    with pytest.raises(BootstrapError, match="micromamba is not here"):
        make(site)


@pytest.mark.slow
@pytest.mark.alone
def test_real_conda_makes_an_environment_that_works(
    person: Person, tmp_path: Path
) -> None:
    conda = conda_command(print)
    site = tmp_path / "site"
    shutil.copytree(person.site / "bases", site / "bases", symlinks=True)
    told = json.loads((person.site / "site.json").read_text())
    told |= {"backend": "conda", "backend_path": str(conda)}
    (site / "site.json").write_text(json.dumps(told))
    other = Person(person.home, person.places, site)
    made = other.json("create", "new", "--base", "minimal", CONDA_SOLVER="classic")
    assert made.code == 0, made.out
    prefix = other.prefix("new")
    assert not prefix.is_symlink()
    assert other.python("new", "import ipykernel, sys; print(sys.prefix)") == str(
        prefix
    )
    assert b"/~" not in (prefix / "bin/pip").read_bytes()
    assert other.listed()["new"]["state"] == "ready"
    verified = other.json("verify", "new").last["result"]["environments"]["new"]
    assert verified["why"] is None
    assert leftovers(other.places) == []
    assert wrong_checksums(prefix) == []
    again = other.json("reset", "new", CONDA_SOLVER="classic")
    assert again.code == 0, again.out


def wrong_checksums(prefix: Path) -> list[str]:
    """Return the files that are not as conda's own records say they are."""
    wrong = []
    for path in (prefix / "conda-meta").glob("*.json"):
        for one in json.loads(path.read_text())["paths_data"]["paths"]:
            file = prefix / path_in_prefix(prefix, one["_path"])
            told = one.get("sha256_in_prefix")
            if not told or file.is_symlink():
                continue
            if hashlib.sha256(file.read_bytes()).hexdigest() != told:
                wrong.append(one["_path"])
    return wrong
