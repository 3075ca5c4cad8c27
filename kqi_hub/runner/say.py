"""Say in the job's log, for people, what happens and when."""

import sys
import time


def say(text: str) -> None:
    """Write one line; control characters in what others wrote are made visible."""
    shown = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
    now = time.strftime("%H:%M:%S")
    sys.stdout.write(f"{now} [kqi] {shown}\n")
    sys.stdout.flush()
