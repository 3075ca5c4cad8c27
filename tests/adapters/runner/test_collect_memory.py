"""The program that looks after folders of runs: what it may take of the machine."""

import json
import subprocess
import sys

_GREEDY = """
import sys
from kqi_hub.runner import collect
collect.removed = lambda *_: str(len(bytearray(int(sys.argv[1]))))
sys.exit(collect.main([]))
"""


def removing(size: int) -> subprocess.CompletedProcess[str]:
    """Run it over a folder whose list has so many bytes."""
    order = {"deed": "remove", "place": "/nowhere/mia/kqi", "folders": ["training/1"]}
    return subprocess.run(
        [sys.executable, "-c", _GREEDY, str(size)],
        input=json.dumps(order),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_folder_of_too_many_files_does_not_fill_the_machine() -> None:
    ended = removing(2 * 1024**3)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("MemoryError")


def test_a_large_folder_is_still_listed() -> None:
    ended = removing(200 * 1024**2)
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["kept"] == {"training/1": str(200 * 1024**2)}
