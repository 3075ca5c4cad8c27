"""The example notebooks: what there is, and copies of it in a person's workspace."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from conda_bootstrap.errors import Refused, WrongUse

_SOURCE: Final = Path(__file__).with_name("example_notebooks")
_MOST_COPIES: Final = 1000


def examples() -> list[dict[str, Any]]:
    """Return their names with a title for people."""
    return [
        {"name": file.stem, "title": _title(file)}
        for file in sorted(_SOURCE.glob("*.ipynb"))
    ]


def copy(names: Iterable[str], workspace: Path) -> list[Path]:
    """Copy some; one whose name is taken gets a number, nothing is overwritten."""
    known = {one["name"] for one in examples()}
    wanted = list(dict.fromkeys(names))
    for name in wanted:
        if name not in known:
            raise WrongUse(
                "example",
                f"There is no example {ascii(name)[:60]}.",
                f"These are there: {', '.join(sorted(known))}.",
            )
    try:
        workspace.mkdir(mode=0o700, parents=True, exist_ok=True)
        return [_copied(name, workspace) for name in wanted]
    except OSError as error:
        raise Refused(
            "workspace",
            f"Nothing can be written in {workspace}: {error.strerror}.",
            "Free some space there, or look at whose folder it is.",
        ) from error


def _copied(name: str, workspace: Path) -> Path:
    text = (_SOURCE / f"{name}.ipynb").read_bytes()
    for number in range(_MOST_COPIES):
        target = workspace / (f"{name}-{number}.ipynb" if number else f"{name}.ipynb")
        try:
            # Whatever has the name already, a loose link too, is left as it is.
            handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            continue
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(text)
        except OSError:
            target.unlink(missing_ok=True)
            raise
        return target
    raise FileExistsError(0, f"there are {_MOST_COPIES} copies of {name} already")


def _title(file: Path) -> str:
    first = json.loads(file.read_text(encoding="utf-8"))["cells"][0]["source"][0]
    return str(first).lstrip("# ").strip()
