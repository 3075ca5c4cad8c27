"""Commands that work with py-rattler end before Python tears itself down."""

import subprocess
import sys
from pathlib import Path

import pytest

# What Python would do at its end, were it let.
RUN = """
import atexit, runpy, sys
atexit.register(print, "torn down")
module, *words = sys.argv[1:]
sys.argv = [module, *words]
runpy.run_module(module, run_name="__main__", alter_sys=True)
"""


def run(*argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", "-c", RUN, *argv],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("argv", "code", "said"),
    [
        (("conda_bootstrap", "--site", "{site}", "bases"), 3, "Name the site's folder"),
        (
            ("conda_bootstrap.site", "check", "--site", "{site}"),
            1,
            "is missing: publish the bases",
        ),
        (("conda_bootstrap.site", "list", "--json", "--site", "{site}"), 0, "[]"),
    ],
)
def test_a_command_says_all_it_has_to_say_and_is_gone(
    tmp_path: Path, argv: tuple[str, ...], code: int, said: str
) -> None:
    ran = run(*(word.format(site=tmp_path) for word in argv))
    assert said in ran.stdout + ran.stderr
    assert ran.returncode == code
    assert "torn down" not in ran.stdout


def test_without_it_python_would_tear_itself_down() -> None:
    ran = run("this")
    assert ran.stdout.endswith("torn down\n")
