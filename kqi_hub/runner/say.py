"""Say in the job's log, for people, what happens and when."""

import os
import stat
import sys
import time
from pathlib import Path


def say(text: str) -> None:
    """Write one line; control characters in what others wrote are made visible."""
    shown = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
    now = time.strftime("%H:%M:%S")
    before = "\n" if _is_line_open() else ""
    sys.stdout.write(f"{before}{now} [kqi] {shown}\n")
    sys.stdout.flush()


def _is_line_open() -> bool:
    """Tell whether another program's last line in the log lacks its end."""
    try:
        log = sys.stdout.fileno()
        if not stat.S_ISREG(os.fstat(log).st_mode):
            return False
        # Slurm opens it for writing only; to be read it is opened once more.
        with Path(f"/proc/self/fd/{log}").open("rb") as written:
            written.seek(-1, os.SEEK_END)
            return written.read(1) != b"\n"
    except OSError:
        return False  # it is empty, or nobody may read it
