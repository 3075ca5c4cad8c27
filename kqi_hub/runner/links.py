"""Links in a workspace to what a notebook reads; own files there stay as they are."""

import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

_OURS: Final = re.compile(r"(?:input|parent)-[0-9]{1,19}", re.ASCII)


def put_link(link: Path, target: str, what: str, say: Callable[[str], None]) -> None:
    """Link something there, unless its owner has a file of that name."""
    if not link.is_symlink() and link.exists():
        say(f"{link} is a file of yours, so {what} is not linked there.")
        return
    try:
        _replace(link, target)
    except OSError as error:
        say(f"The link {link} cannot be made: {why_of(error)}.")


def _replace(link: Path, target: str) -> None:
    """Let a link lead elsewhere, in one step: programs may be reading through it."""
    if link.is_symlink() and str(link.readlink()) == target:
        return
    with tempfile.TemporaryDirectory(prefix=".kqi-link-", dir=link.parent) as folder:
        new = Path(folder) / link.name
        new.symlink_to(target)
        new.replace(link)


def forget_gone(workspace: Path) -> None:
    """Remove links of ours that lead nowhere; what else there is stays."""
    try:
        for link in [one for one in workspace.iterdir() if _is_gone(one)]:
            link.unlink()
    except OSError:
        return  # a workspace that cannot be tidied up is as good as one that is not


def _is_gone(link: Path) -> bool:
    is_ours = _OURS.fullmatch(link.name) is not None and link.is_symlink()
    return is_ours and not link.exists()


def why_of(error: OSError) -> str:
    """Return what the system says of an error."""
    return error.strerror or str(error)
