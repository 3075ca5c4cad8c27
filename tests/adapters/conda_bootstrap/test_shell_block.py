"""The lines in ~/.bashrc: added once, taken out again without a trace."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from conda_bootstrap import activate_script, shell_block
from conda_bootstrap.errors import BootstrapError
from conda_bootstrap.places import Places

BEGIN = b"# >>> kqi environments >>>"
SITE = Path("/opt/kqi environments")
END = b"# <<< kqi environments <<<"


@pytest.fixture
def places(tmp_path: Path) -> Places:
    made = Places(tmp_path / "it's scratch $HOME")
    made.make()
    return made


@pytest.mark.parametrize(
    "before",
    [
        b"",
        b"alias ll='ls -l'\n",
        b"export A=1",
        b"a\r\nb\r\n",
        b"a\r\nb",
        b"caf\xe9\xff\n\n\n",
        b"\n",
    ],
)
def test_file_is_byte_for_byte_as_before_when_the_lines_are_out(
    places: Places, tmp_path: Path, before: bytes
) -> None:
    file = tmp_path / ".bashrc"
    file.write_bytes(before)
    assert shell_block.add(tmp_path, places, SITE).changed
    added = file.read_bytes()
    assert added.startswith(before)
    assert added.count(BEGIN) == 1
    assert not shell_block.add(tmp_path, places, SITE).changed
    assert file.read_bytes() == added
    assert shell_block.remove(tmp_path).changed
    assert file.read_bytes() == before
    assert not shell_block.remove(tmp_path).changed


@pytest.mark.parametrize("before", [b"one", b"one\n"])
def test_lines_before_and_after_stay_as_they_are(
    places: Places, tmp_path: Path, before: bytes
) -> None:
    file = tmp_path / ".bashrc"
    file.write_bytes(before)
    shell_block.add(tmp_path, places, SITE)
    with file.open("ab") as stream:
        stream.write(b"later=1\n")
    other = Places(tmp_path / "other")
    assert shell_block.add(tmp_path, other, SITE).changed
    text = file.read_bytes()
    assert (text.count(BEGIN), text.count(END)) == (1, 1)
    assert os.fsencode(other.envs) in text
    assert os.fsencode(places.envs) not in text
    shell_block.remove(tmp_path)
    assert file.read_bytes() in (before + b"later=1\n", b"one\nlater=1\n")


def test_link_stays_a_link_and_the_file_behind_it_keeps_its_rights(
    places: Places, tmp_path: Path
) -> None:
    real = tmp_path / "dotfiles" / "bashrc"
    real.parent.mkdir()
    real.write_text("x=1\n")
    real.chmod(0o640)
    (tmp_path / ".bashrc").symlink_to("dotfiles/bashrc")
    shell_block.add(tmp_path, places, SITE)
    assert (tmp_path / ".bashrc").readlink() == Path("dotfiles/bashrc")
    assert BEGIN in real.read_bytes()
    assert real.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("text", [BEGIN + b"\nexport A=1\n", b"a\n" + END + b"\n"])
def test_half_of_the_lines_changes_nothing(
    places: Places, tmp_path: Path, text: bytes
) -> None:
    (tmp_path / ".bashrc").write_bytes(text)
    with pytest.raises(BootstrapError, match="missing"):
        shell_block.add(tmp_path, places, SITE)
    with pytest.raises(BootstrapError, match="missing"):
        shell_block.remove(tmp_path)
    assert (tmp_path / ".bashrc").read_bytes() == text


def test_what_is_no_file_is_left_alone(places: Places, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".bashrc")
    with pytest.raises(BootstrapError, match="no file that can be changed"):
        shell_block.add(tmp_path, places, SITE)


def test_home_that_cannot_be_written_is_told(places: Places, tmp_path: Path) -> None:
    (tmp_path / ".bashrc").symlink_to("/proc/version")
    with pytest.raises(BootstrapError, match="could not be changed"):
        shell_block.add(tmp_path, places, SITE)


def bash(script: str, home: Path, path: str = "/usr/bin:/bin") -> str:
    done = subprocess.run(
        ["/bin/bash", "--norc", "-eu", "-c", f". {home}/.bashrc; {script}"],
        env={"HOME": str(home), "PATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_conda_activate_works_where_there_is_no_conda(
    places: Places, tmp_path: Path
) -> None:
    shell_block.add(tmp_path, places, SITE)
    prefix = places.envs / "torch-2.5"
    (prefix / "bin").mkdir(parents=True)
    activate_script.write(prefix, prefix)
    script = 'conda activate torch-2.5; echo "$CONDA_PREFIX"; echo "$PATH"'
    here, path = bash(script, tmp_path).splitlines()
    assert here == str(prefix)
    assert path == f"{prefix}/bin:/usr/bin:/bin"
    script = 'conda activate torch-2.5; conda deactivate; echo "$PATH${CONDA_PREFIX-}"'
    assert bash(script, tmp_path) == "/usr/bin:/bin"


def test_the_command_has_a_word_of_its_own(places: Places, tmp_path: Path) -> None:
    shell_block.add(tmp_path, places, SITE)
    said = bash("kqi-env --help", tmp_path)
    assert said.startswith("usage: conda_bootstrap")
    told = json.loads(bash("kqi-env list --json", tmp_path))
    assert told["environments"] == []


def test_a_real_conda_is_not_covered(places: Places, tmp_path: Path) -> None:
    shell_block.add(tmp_path, places, SITE)
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "conda").write_text('#!/bin/sh\necho "real $* $CONDA_ENVS_DIRS"\n')
    (tools / "conda").chmod(0o755)
    said = bash("conda info", tmp_path, f"{tools}:/usr/bin:/bin")
    assert said == f"real info {places.envs}"
