"""Files that say what an environment shall hold, also hostile ones."""

import time

import pytest

from conda_bootstrap.environment_yml import EnvironmentFile, read, write
from conda_bootstrap.errors import WrongUse

USUAL = """\
# what we use
name: torch   # our own
channels:
  - conda-forge
  - "https://example.org/channel"
dependencies:
  - python=3.11
  - numpy >=1.26,<3
  - conda-forge::pandas=2.2.*=py311*
  - pip
  - pip:
      - seaborn==0.13.2
      - "torch[extra]>=2"   # from pip
prefix: /home/alice/envs/torch
"""


def test_usual_file_is_read_whole() -> None:
    assert read(USUAL) == EnvironmentFile(
        specs=(
            "python=3.11",
            "numpy >=1.26,<3",
            "conda-forge::pandas=2.2.*=py311*",
            "pip",
        ),
        pip=("seaborn==0.13.2", "torch[extra]>=2"),
        channels=("conda-forge", "https://example.org/channel"),
    )


@pytest.mark.parametrize(
    ("text", "specs"),
    [
        ("dependencies: [python=3.11, 'numpy<3', \"six\"]\n", 3),
        ("dependencies:\n- python\n- six\n", 2),
        ("---\ndependencies:\r\n  - python\r\n", 1),
        ("variables:\n  A: b\ndependencies:\n  - six\n", 1),
        ("name: x\nchannels: []\ndependencies:\n  - six # why\n", 1),
    ],
)
def test_other_ways_of_writing_it_are_read(text: str, specs: int) -> None:
    assert len(read(text).specs) == specs


def test_what_is_written_is_read_again() -> None:
    text = write("torch-2.5", ["https://a/b"], ["numpy=2.1"], ["seaborn==0.13"])
    found = read(text)
    assert (found.specs, found.pip) == (("numpy=2.1",), ("seaborn==0.13",))
    assert found.channels == ("https://a/b", "nodefaults")


BOMB = "a: &a [x,x]\nb: &b [*a,*a]\ndependencies: *b\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BOMB, "not known"),
        ("dependencies: *b\n", "no list"),
        ("dependencies:\n  - &a six\n", "not written plainly"),
        ("dependencies:\n  - !!python/object:os.system x\n", "not written plainly"),
        ("dependencies:\n  - |\n    six\n", "not written plainly"),
        ("dependencies:\n  - {a: b}\n", "not written plainly"),
        ("dependencies:\n  six\n", "an item"),
        ("dependencies:\n\t- six\n", "tabs"),
        ("dependencies:\n  - six\n    - deeper\n", "indented"),
        ("- six\n", "a key"),
        ("name: x\n", "names no packages"),
        ("", "names no packages"),
        ("dependencies:\n  - six\nsecrets:\n  - a\n", "not known"),
        ("dependencies:\n  - six; rm -rf ~\n", "does not name a package"),
        ("dependencies:\n  - --file=/etc/passwd\n", "does not name a package"),
        ("dependencies:\n  - six\n  - pip:\n    - -r other.txt\n", "cannot be given"),
        ("dependencies:\n  - six\n  - pip:\n    - --index-url=x\n", "cannot be given"),
        ("dependencies:\n  - si\x00x\n", "control character"),
        ("dependencies:\n  - si\x1bx\n", "control character"),
        ("dependencies:\n  - " + "x" * 101_000 + "\n", "longer"),
    ],
)
def test_what_is_not_understood_is_refused_and_named(text: str, said: str) -> None:
    with pytest.raises(WrongUse, match=said):
        read(text)


def test_line_that_is_not_understood_is_told_by_its_number() -> None:
    with pytest.raises(WrongUse, match=r"Line 3 \('\{a: b\}'\)|Line 3"):
        read("name: x\ndependencies:\n  - {a: b}\n")


def test_long_file_of_the_worst_kind_is_read_in_no_time() -> None:
    text = "dependencies:\n" + "  - " + "'\"[" * 30_000 + "\n"
    began = time.process_time()
    with pytest.raises(WrongUse):
        read(text)
    assert time.process_time() - began < 1
