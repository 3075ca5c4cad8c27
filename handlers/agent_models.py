"""How a person's agent answers, as models: for the documents and the tests of both."""

from typing import Any, Final, Literal

from pydantic import ConfigDict, Field

from handlers.route import Model

# The document is for programs, in English: these texts are in no catalogue.
_NEEDED: Final[Any] = ...


def says(text: str, default: Any = _NEEDED, **more: Any) -> Any:
    """Return a field with what the document says of it."""
    return Field(default, **{"description": text, **more})


Operation = Literal[
    "setup", "create", "reset", "delete", "verify", "repair", "bring-back", "plugins"
]
State = Literal[
    "asked", "waiting", "running", "done", "failed", "refused", "cancelled"
]  # fmt: skip


class Refusal(Model):
    """Why the agent does not do it; `error` is stable, the texts are for people."""

    model_config = ConfigDict(extra="allow")

    error: str = says("A code, such as busy or not-there.")
    message: str = says("What happened.")
    hint: str = says("What to do next.", "")
    task: str = says("The task that is in the way, or was refused.", "")


class Health(Model):
    """That the agent works."""

    person: str = says("Whose it is.")
    pid: int = says("Its process.")
    streams: int = says("How many logs are being followed.")
    ends_in_s: float = says("Seconds until it ends if nobody asks.")
    memory_mb: float = says("Memory that is really in use.")


class Piece(Model):
    """A piece of a log."""

    model_config = ConfigDict(extra="allow")

    start: int = says("Where it begins.", alias="from")
    to: int = says("Where it ends; the next begins here.")
    size: int = says("How long the log is.")
    changed_at: float = says("When it changed last.")
    text: str = says("What stands there.")


class Run(Model):
    """What a job has left."""

    job: int | str = says("Slurm's number of the job, or a task such as `12_3`.")
    log: dict[str, Any] | None = says("Its log's path, size and time.")
    folders: list[dict[str, Any]] = says("The first names in folders.")


class Why(Model):
    """Why an environment is broken."""

    code: str = says("In one word that programs know.")
    text: str = says("In words.")


class Kernel(Model):
    """A kernel that notebooks find in an environment."""

    name: str = says("Its name.")
    title: str = says("What Jupyter shows.")


class Size(Model):
    """How large an environment is; `own` is what would go away with it."""

    bytes: int = says("All of it.")
    own_bytes: int = says("What no other environment shares.")
    files: int = says("All files and folders.")
    own_files: int = says("Those that no other environment shares.")
    counted_at: str = says("When it was counted.")


class Environment(Model):
    """A conda environment of yours."""

    name: str = says("Its name.")
    path: str = says("Its folder.")
    state: Literal["ready", "broken", "making", "foreign"] = says(
        "foreign: made by hand, usable all the same."
    )
    why: Why | None = says("Why it is broken.")
    base: str | None = says("The base it was made from.")
    lock_sha256: str | None = says("Which edition of it.")
    outdated: bool = says("Whether the site has published a newer one.")
    made_at: str | None = says("When it was made.")
    used_at: str | None = says("When a notebook used it last.")
    python: str | None = says("Version of its Python.")
    packages: int = says("How many packages it holds.")
    kernels: tuple[Kernel, ...] = says("Its kernels.")
    size: Size | None = says("Its size, where it has been counted.")
    is_default: bool = says("Whether new notebooks begin with it.")
    has_saved_packages: bool = says("Whether bring-back has a list.")
    old_kept: bool = says("Whether what it was before is still there.")
    task: str | None = says("The task that works on it.")


class TaskError(Model):
    """Why a task did not do what was asked."""

    code: str = says("In one word that programs know.")
    message: str = says("What happened.")
    hint: str = says("What to do next.")


class Task(Model):
    """Work on an environment. Times are seconds since 1970."""

    id: str = says("Its name, also that of its folder.")
    operation: str = says("What is done.")
    name: str = says("With which environment.")
    state: State = says("How it is; the last four are ends.")
    error: TaskError | None = says("Why it failed or was refused.")
    run_on: str = says("job or hub.")
    queue: str = says("The queue, if one was said.")
    tenant: str = says("The tenant, if one was said.")
    asked_at: float | None = says("When it was asked for.")
    job_id: int | None = says("Slurm's number of its job.")
    result: dict[str, Any] | None = says("What came of it.")
    phase: str = says("What it does now, in one word.")
    text: str = says("The same in words.")
    host: str = says("Where it runs.")
    done: float | None = says("Steps done in this phase.")
    total: float | None = says("Steps of this phase; 0: nobody knows.")
    bytes: float | None = says("Bytes moved in this phase.")
    began_at: float | None = says("When it began.")
    ended_at: float | None = says("When it ended.")


class Tasks(Model):
    """The newest tasks."""

    tasks: tuple[Task, ...] = says("Newest first, fifty at most.")


class Environments(Tasks):
    """All environments, the tasks under way, and the site's rules."""

    environments: tuple[Environment, ...] = says("By name.")
    room: dict[str, Any] = says("Free bytes and files on scratch, quota.")
    run_on: Literal["job", "hub"] = says("Where work is done.")
    queue: str = says("The site's queue for it; empty: none is set.")


class Bases(Model):
    """What the site offers to begin from."""

    bases: tuple[dict[str, Any], ...] = says("As the site tells it.")


class Order(Model):
    """What to do. `create` needs exactly one of base, yml, lock, explicit, import."""

    operation: Operation = says("What to do.")
    name: str = says("With which environment.", "notebook")
    base: str | None = says("A base of the site.", None)
    yml: str | None = says("The text of an environment.yml.", None)
    lock: str | None = says("The text of a lock file.", None)
    explicit: str | None = says("The text of an explicit list.", None)
    imported: str | None = says("An export's text.", None, alias="import")
    bring_back: bool = says("After a reset: packages again.", False)
    queue: str = says("Where it runs.", "")
    tenant: str = says("Who is charged.", "")
    run_on: Literal["", "job", "hub"] = says("Empty: as the site says.", "")


class Named(Model):
    """One environment."""

    name: str = says("Its name.", max_length=255)


class ExampleList(Model):
    """The example notebooks."""

    examples: tuple[dict[str, Any], ...] = says("Name, title, about.")


class ExampleNames(Model):
    """Which examples to copy."""

    names: tuple[str, ...] = says("Names.", min_length=1, max_length=50)


class ExamplesMade(Model):
    """What was copied."""

    made: tuple[str, ...] = says("Their paths; nothing was overwritten.")
