"""Folders of runs below a person's scratch folder, good ones and hostile ones."""

import json
import os
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

from tests.adapters.runas.house import ALICE, BOB, PYTHON, House

PACKAGE = Path(__file__).parents[3] / "kqi_hub"
RESULT: dict[str, object] = {
    "version": 1, "exit_code": 0, "why": "", "value": "0.5", "files": 2, "bytes": 7,
    "zip": None, "began_at": 1.0, "ended_at": 2.5, "phases": {"staging": 1.0},
    "notes": ["linked"], "mounts": "bwrap", "use": None,
}  # fmt: skip
SECRET = "root:$6$only-for-root"


def command(house: House, *more: str) -> list[str]:
    """Return the program as an operator would install it, where everybody may read."""
    code = house.base / "code"
    if not code.exists():
        (code / "kqi_hub").mkdir(parents=True)
        shutil.copy(PACKAGE / "__init__.py", code / "kqi_hub")
        shutil.copytree(PACKAGE / "runner", code / "kqi_hub/runner")
        subprocess.run(["chmod", "-R", "a+rX", str(code)], check=True)
    run = (
        f"import sys; sys.path.insert(0, {str(code)!r}); "
        "from kqi_hub.runner.collect import main; sys.exit(main())"
    )
    return [PYTHON, "-I", "-c", run, *more]


def kqi_folder(house: House) -> Path:
    """Return alice's `kqi` folder, as good as new."""
    scratch = house.scratch / "alice"
    subprocess.run(["rm", "-rf", str(scratch)], check=True)
    assert house.ask("make-scratch", "alice", {})["ok"]
    return scratch / "kqi"


def give(path: Path, owner: int = ALICE) -> Path:
    """Let a folder with everything in it be somebody's."""
    subprocess.run(["chown", "-hR", f"{owner}:{owner}", str(path)], check=True)
    return path


def a_run(
    kqi: Path, folder: str = "training/12", changes: dict[str, object] | None = None
) -> Path:
    """Make what a runner leaves."""
    run = kqi / folder
    (run / "output/sub").mkdir(parents=True)
    (run / "output/sub/one.txt").write_text("one")
    (run / "output/value.txt").write_text("0.75\nmore\n")
    (run / "result.json").write_text(json.dumps(RESULT | (changes or {})))
    (run / "state.json").write_text('{"version": 1, "phase": "ended"}')
    give(kqi)
    return run


def asked(house: House, verb: str, *folders: str) -> dict[str, Any]:
    answer = house.ask(verb, "alice", {"folders": list(folders)})
    assert answer["ok"], answer
    assert (answer["exit_code"], answer["timed_out"]) == (0, False), answer
    said: dict[str, Any] = json.loads(answer["stdout"])
    assert said["version"] == 1
    return said


def collected(house: House, folder: str = "training/12") -> dict[str, Any]:
    said = asked(house, "collect", folder)
    assert said["left"] == []
    assert list(said["runs"]) == [folder]
    one: dict[str, Any] = said["runs"][folder]
    return one


def as_link(file: Path) -> None:
    file.unlink()
    file.symlink_to("/etc/passwd")


def as_fifo(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)
    os.chown(file, ALICE, ALICE)


def as_device(file: Path) -> None:
    file.unlink()
    os.mknod(file, stat.S_IFCHR | 0o666, os.makedev(1, 5))  # /dev/zero
    file.chmod(0o666)
    os.chown(file, ALICE, ALICE)


def as_hard_link(file: Path) -> None:
    secret = file.parents[4] / "secret"
    secret.write_text(json.dumps(RESULT | {"why": SECRET}))
    secret.chmod(0o644)
    file.unlink()
    file.hardlink_to(secret)


def as_somebody_elses(file: Path) -> None:
    os.chown(file, BOB, BOB)
    file.chmod(0o666)


def as_huge(file: Path) -> None:
    os.truncate(file, 1024**3)


def as_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()
    os.chown(file, ALICE, ALICE)


def as_locked(file: Path) -> None:
    file.chmod(0)


HOSTILE = [
    (as_link, "is a link"),
    (as_fifo, "no regular file"),
    (as_device, "no regular file"),
    (as_hard_link, "somebody else's"),
    (as_somebody_elses, "somebody else's"),
    (as_huge, "more than 65536 bytes"),
    (as_folder, "no regular file"),
    (as_locked, "Permission denied"),
]
