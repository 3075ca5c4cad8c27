"""Compile files: run by the environment's own Python, with nothing but its library.

Each line of standard input is [source, target] in JSON; each line of standard output is
the number of lines worked off so far. A pyc is renamed into place whole.
"""

import json
import os
import py_compile
import sys

_SOON = 50


def main() -> None:
    """Work off what is asked, and leave out what is no Python of this version."""
    done = 0
    for line in sys.stdin:
        source, target = json.loads(line)
        _compile(source, target)
        done += 1
        if done % _SOON == 0:
            sys.stdout.write(f"{done}\n")
            sys.stdout.flush()
    sys.stdout.write(f"{done}\n")


def _compile(source: str, target: str) -> None:
    # The pyc is one file for several environments, so it says by the source's content,
    # not by its time, whether it still holds.
    beside = f"{target}.{os.getpid()}"
    mode = py_compile.PycInvalidationMode.CHECKED_HASH
    try:
        py_compile.compile(
            source, beside, doraise=True, invalidation_mode=mode, quiet=2
        )
        os.replace(beside, target)  # noqa: PTH105 - the environment's Python may be old
    except (py_compile.PyCompileError, OSError, ValueError, RecursionError):
        pass  # what cannot be compiled is Python's to complain of, when it is imported


if __name__ == "__main__":
    main()
