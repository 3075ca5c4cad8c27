"""What the programs that run as a person show to that person, at any moment."""

import pwd
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

Seen = dict[str, set[str]]


@contextmanager
def watching(name: str) -> Iterator[Seen]:
    """Note words and surroundings of a person's programs, those of a moment too."""
    seen: Seen = defaultdict(set)
    enough = threading.Event()
    uid = pwd.getpwnam(name).pw_uid

    def watch() -> None:
        while not enough.is_set():
            for path in Path("/proc").glob("[0-9]*"):
                _note(path, uid, seen)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        enough.set()
        thread.join()


def _note(path: Path, uid: int, seen: Seen) -> None:
    try:
        if path.stat().st_uid != uid:
            return
        words = (path / "cmdline").read_bytes().decode(errors="replace")
        around = (path / "environ").read_bytes().decode(errors="replace")
    except OSError:
        return  # it has ended meanwhile
    program = words.partition("\0")[0].rpartition("/")[2]
    seen[program].update((words, around))
