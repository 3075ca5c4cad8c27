"""A line that changes while something is under way, on a terminal's standard error."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.text import Text


@contextmanager
def steps(what: str) -> Iterator[Callable[[str], None]]:
    """Give what to tell the news to; elsewhere than on a terminal nothing is shown."""
    if not sys.stderr.isatty():
        yield lambda text: None
        return
    console = Console(stderr=True, highlight=False)
    with console.status(Text(what)) as status:
        # Text, not markup: a name such as [red] is a name.
        yield lambda text: status.update(Text(f"{what}: {text}"))
