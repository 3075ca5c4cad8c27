"""A bar for what takes long, on a terminal's standard error; elsewhere nothing."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, Progress as Bars, TaskID, TextColumn

from kqi_hub.cli.amounts import files, size, span
from kqi_hub.sdk.file_models import FileWork
from kqi_hub.sdk.upload_progress import Progress, Tell


@dataclass(frozen=True, slots=True)
class _Bar:
    """One bar, told how far it is."""

    bars: Bars
    task: TaskID

    def __call__(self, now: Progress) -> None:
        # Many small files count as well as few large ones.
        total, done = now.bytes + now.files * 4096, now.done_bytes
        done += now.done_files * 4096
        self.bars.update(self.task, total=total or 1, completed=done, text=_text(now))


@contextmanager
def bar(what: str) -> Iterator[Tell | None]:
    """Give what to tell the progress to; None where nobody looks at a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    bars = Bars(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[text]}", markup=False),
        console=Console(stderr=True, highlight=False),
        transient=True,
    )
    with bars:
        yield _Bar(bars, bars.add_task(what, total=1, text=""))


def work_told(tell: Tell | None) -> Callable[[FileWork], None] | None:
    """Return what tells a bar of work of the agent's, whose end nobody knows."""
    if tell is None:
        return None
    return lambda work: tell(Progress(work.done, work.bytes, work.done, 0, 0.0, None))


def _text(now: Progress) -> str:
    if now.waits:
        return now.waits
    sent = f"{now.done_files:,}/{files(now.files)}  {size(now.done_bytes)}"
    if now.done_files >= now.files:
        return f"{sent}  the store checks and links them"
    return f"{sent}/{size(now.bytes)}  {size(now.rate)}/s  left {span(now.left_s)}"
