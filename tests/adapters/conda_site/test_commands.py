import os
import subprocess
import sys
from pathlib import Path

import pytest

from conda_bootstrap.site.folder import SiteFolder
from conda_bootstrap.site.shell_commands import NAMES, write_commands

# What the commands would run: it only repeats what it was given.
REPEATS = """#!{python}
import sys
print(sys.argv[1:])
"""


@pytest.fixture
def commands(tmp_path: Path) -> Path:
    site = SiteFolder(tmp_path / "it's a site")
    site.make()
    python = tmp_path / "a python"
    python.write_text(REPEATS.format(python=sys.executable))
    python.chmod(0o755)
    write_commands(site, site.path, str(python))
    return site.commands


def run(
    path: Path, *words: str, **environment: str
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["sh", str(path), *words],
        cwd="/",
        env={"PATH": os.defpath, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("name", "words", "given"),
    [
        ("kqi_conda_jupyter.sh", [], ["setup"]),
        ("kqi_conda_jupyter.sh", ["--scratch", "/a b"], ["setup", "--scratch", "/a b"]),
        ("kqi_conda_plugins.sh", [], ["plugins"]),
        ("reset_env.sh", [], ["reset", "notebook"]),
        ("reset_env.sh", ["torch"], ["reset", "torch"]),
        ("reset_env.sh", ["--bring-back"], ["reset", "notebook", "--bring-back"]),
        ("reset_env.sh", ["$(id)", "; id"], ["reset", "$(id)", "; id"]),
    ],
)
def test_a_command_hands_on_what_it_was_given(
    commands: Path, name: str, words: list[str], given: list[str]
) -> None:
    done = run(commands / name, *words, CONDA_PREFIX="/x")
    site = str(commands.parent)
    expected = ["-I", "-m", "conda_bootstrap", "--site", site, *given]
    assert (done.stdout, done.returncode) == (f"{expected}\n", 0)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("word", ["-h", "--help"])
def test_help_says_what_it_does_and_runs_nothing(
    commands: Path, name: str, word: str
) -> None:
    done = run(commands / name, word)
    assert done.returncode == 0
    assert done.stdout.startswith(f"usage: {name}")


def test_plugins_outside_of_an_environment_say_so_and_do_nothing(
    commands: Path,
) -> None:
    done = run(commands / "kqi_conda_plugins.sh")
    assert (done.stdout, done.returncode) == ("", 3)
    assert "Nothing was done" in done.stderr
    assert "conda activate notebook" in done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_a_node_without_the_sites_python_is_said(
    commands: Path, tmp_path: Path, name: str
) -> None:
    (tmp_path / "a python").unlink()
    done = run(commands / name, CONDA_PREFIX="/x")
    assert done.returncode == 1
    assert "is not here" in done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_commands_are_whole_and_runnable_by_everybody(
    commands: Path, name: str
) -> None:
    assert (commands / name).stat().st_mode & 0o777 == 0o755
    assert "@" not in (commands / name).read_text().replace("$@", "")
    subprocess.run(["sh", "-n", str(commands / name)], check=True)
