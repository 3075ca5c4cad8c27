"""What this machine remembers of uploads that are not finished: what they send."""

import json
import os
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from kqi_hub.sdk import config as configuration

_KEY: Final = re.compile(r"[a-z0-9]{1,64}", re.ASCII)


def remember(key: str, sources: Sequence[str], what: str) -> None:
    """Keep the sources of an upload, so that it can go on by its key alone."""
    place = _place(key)
    if place is None:
        return
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    said = {"what": what, "at": time.time(), "sources": list(map(_absolute, sources))}
    place.write_text(json.dumps(said), encoding="utf-8", errors="surrogateescape")


def sources_of(key: str) -> tuple[str, ...]:
    """Return the sources of an upload that this machine began; empty: of none."""
    place = _place(key)
    if place is None or not place.is_file():
        return ()
    try:
        text = place.read_text(encoding="utf-8", errors="surrogateescape")
        return tuple(map(str, json.loads(text)["sources"]))
    except (ValueError, KeyError, TypeError):
        return ()  # spoilt: asked for on the command line, as on another machine


def forget(key: str) -> None:
    """Forget an upload that has ended."""
    place = _place(key)
    if place is not None:
        place.unlink(missing_ok=True)


def _place(key: str) -> Path | None:
    if not _KEY.fullmatch(key):
        return None
    return configuration.folder() / "uploads" / f"{key}.json"


def _absolute(source: str) -> str:
    """Return a source from the root on; a slash at its end says something, so stays."""
    full = os.path.abspath(source)  # noqa: PTH100 - the slash: Path would drop it
    is_content = source.endswith(("/", "/.", "/..")) or source in {".", ".."}
    return f"{full}/" if is_content else full
