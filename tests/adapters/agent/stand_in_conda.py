"""StandInConda: environments that nobody had to make, for tests of the routes alone."""

import threading
from pathlib import Path
from typing import Any

NOTEBOOK = {
    "name": "notebook", "path": "/scratch/alice/.conda/envs/notebook",
    "state": "ready", "why": None, "base": "notebook", "lock_sha256": "ab12",
    "outdated": False, "made_at": "2026-11-21T09:00:00Z", "used_at": None,
    "python": "3.11.7", "packages": 120,
    "kernels": [{"name": "python3", "title": "Python 3"}], "size": None,
    "is_default": True, "has_saved_packages": False, "old_kept": False, "task": None,
}  # fmt: skip
ROOM = {"free_bytes": 10**12, "free_files": 10**7, "quota": None}


class StandInConda:
    """What routes ask of conda_bootstrap; tests change it."""

    def __init__(self) -> None:
        self.found: list[dict[str, Any]] = [dict(NOTEBOOK), NOTEBOOK | {"name": "手"}]
        self.default: str | None = None
        self.counted: list[str] = []
        self.copied: list[str] = []
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.error: OSError | None = None

    def environments(self) -> list[dict[str, Any]]:
        self.may_go_on.wait(30)
        if self.error is not None:
            raise self.error
        return self.found

    def room(self) -> dict[str, Any]:
        return ROOM

    def bases(self) -> list[dict[str, Any]]:
        return [{"name": "notebook", "title": "Notebook", "is_default": True}]

    def export(self, name: str, form: str) -> str:
        return f"{form} of {name}\n"

    def set_default(self, name: str) -> None:
        self.default = name

    def count(self, name: str) -> None:
        self.may_go_on.wait(30)
        self.counted.append(name)

    def examples(self) -> list[dict[str, Any]]:
        return [{"name": "iris_ex.ipynb", "title": "Iris", "about": "Plots"}]

    def copy_examples(self, names: list[str]) -> list[str]:
        self.copied += names
        return [str(Path("/scratch/alice/workspace") / name) for name in names]
