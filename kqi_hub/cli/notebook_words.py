"""A notebook as the command tells of it."""

from collections.abc import Iterator, Mapping
from typing import Any

from kqi_hub.cli.notebook_figures import span, spent
from kqi_hub.cli.output import moment
from kqi_hub.sdk.notebooks import Notebook, NotebookSession


def told(found: Notebook) -> Iterator[str]:
    """Tell what a notebook is like now, line by line."""
    yield f"{found.name} (notebook {found.id}, tenant {found.tenant})"
    yield f"status: {found.status}"
    if found.session is not None:
        yield from _told_of_session(found.session)
    if found.waiting is not None:
        yield f"waits: {found.waiting['text']} {found.waiting.get('hint', '')}"
    for label, text in (("left", left(found)), ("cost", cost(found))):
        if text:
            yield f"{label}: {text}"
    if found.neighbours is not None:
        yield _told_of_neighbours(found.neighbours)
    if found.is_live and found.picture is not None:
        yield f"picture of Slurm: {found.picture['said']}"


def _told_of_neighbours(found: Mapping[str, Any]) -> str:
    words = [f"beside it: {found['jobs']} other jobs on {found['node']}"]
    if found["mine"]:
        words.append(f"{found['mine']} yours")
    if found["with_gpus"]:
        shared = ", perhaps on the same GPU" if found["shares_gpus"] else ""
        words.append(f"{found['with_gpus']} with GPUs{shared}")
    words += [f"{one['name']}: {one['jobs']}" for one in found["people"]]
    return "; ".join(words)


def _told_of_session(session: NotebookSession) -> Iterator[str]:
    yield f"job: {session.job_id or '-'}  node: {session.node or '-'}"
    for phase, at in session.reached:
        yield f"  {phase:12} {moment(int(at))}  +{at - session.asked_at:.1f} s"
    if session.end:
        yield f"end: {session.end}"


def left(found: Notebook) -> str:
    """Return how long it may still run; empty where that is not known."""
    return span(found.left_s)


def cost(found: Notebook) -> str:
    """Return what it has cost so far; empty where there is no price."""
    is_open = not found.is_live and not found.is_billed
    return spent(found.cost_micro, found.price, is_open=is_open)
