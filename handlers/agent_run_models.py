"""What an agent says of runs, terminals and TensorBoards, as the document tells it."""

from typing import Any, Literal

from handlers.agent_models import says
from handlers.route import Model


class RunState(Model):
    """What a run's own folder tells."""

    kind: str = says("training, inference or preprocessing.")
    id: str = says("The name of its folder: its number, or such as `12.4711`.")
    folder: str = says("Where its folder is on the cluster.")
    state: dict[str, Any] | None = says("state.json of the run's contract, as it is.")
    result: dict[str, Any] | None = says("result.json of it, once it has ended.")
    ports: list[int] = says("The ports that it was asked for with.")


class RunUse(Model):
    """What a run's job has noted of its use, line by line."""

    kind: str = says("training, inference or preprocessing.")
    id: str = says("The name of its folder: its number, or such as `12.4711`.")
    fields: list[str] = says("What the numbers of a line are.")
    lines: list[list[float | None]] = says("Lines after `since`; null: no GPU.")


class Match(Model):
    """A place in a log."""

    at: int = says("Offset in bytes.")
    text: str = says("The line around it.")


class Found(Model):
    """What one bounded look at a log found."""

    job: int | str = says("Slurm's number of the job, or a task such as `12_3`.")
    matches: list[Match] = says("At most 200.")
    next: int = says("Where to go on.")
    size: int = says("How long the log is.")
    is_over: bool = says("Whether the end has been reached.")


class TerminalWish(Model):
    """A terminal in a job."""

    job: str = says("Slurm's number of one of your running jobs, or `12_3`.")
    columns: int = says("Width in characters.", 80)
    rows: int = says("Height in lines.", 24)
    run: str | None = says("Begin in a run's folder, such as `training/12`.", None)


class Terminal(Model):
    """A terminal that is open."""

    id: str = says("Its name: WebSocket `terminals/ID`.")
    job: int = says("The job that it is in.")
    name: str = says("The job's name.")


class OpenTerminal(Terminal):
    """A terminal and what opens it."""

    ticket: str = says("Opens it once, within 30 s: subprotocol `ticket.TICKET`.")


class Terminals(Model):
    """The terminals whose program runs."""

    terminals: list[Terminal] = says("In the order of their beginning.")


class BoardWish(Model):
    """A TensorBoard of a run."""

    hours: int = says("Lifetime, from 1 to 24.", 3)
    queue: str = says("Slurm's partition; empty: the cluster's default.", "")
    tenant: str = says("Slurm's account; empty: your default.", "")
    with_: list[str] = says(
        "More runs to show, such as `training/11`.", [], alias="with"
    )


class BoardState(Model):
    """How a run's TensorBoard stands."""

    state: Literal[
        "none", "asked", "waiting", "starting", "running", "ended", "failed"
    ] = says("How far it is.")
    job: int | None = says("Its job.", None)
    hours: int | None = says("Its lifetime.", None)
    runs: list[str] | None = says("The runs that it shows.", None)
    path: str = says("Where it is, below the agent.", "")
    said: str = says("What it said before it failed.", "")
    ends_in_s: int | None = says("How long it goes on.", None)
