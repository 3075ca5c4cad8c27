"""The order of a run: what its job is told, kept without secrets for another time."""

import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from kqi_hub.runner.images.fetching import Wanted
from kqi_hub.runner.images.ordered import wanted_image, without_password
from kqi_hub.runner.order import BadOrder, own_text, pair, texts
from kqi_hub.runner.runs.files import write_json

_VERSION: Final = 1
_LONGEST: Final = 1 << 22
KEPT: Final = "order.json"
KEPT_BATCH: Final = "batch.json"
# Which job a folder belongs to: the first that has begun in it.
_CLAIM: Final = "job"
# In `control`, and nobody's to find in a folder later.
_SECRET_VARIABLES: Final = frozenset({"KQI_TOKEN"})

Told = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ParentPlace:
    """An earlier run, and where its results lie."""

    kind: str
    id: int
    path: Path

    @property
    def name(self) -> str:
        """Return its folder's name where there are several."""
        return f"{self.kind}-{self.id}"


@dataclass(frozen=True, slots=True)
class Item:
    """The one item of data that a task of an array works on."""

    data: int | None
    name: str
    path: Path
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TokenWay:
    """Where the job gets a token for `kqi`, and what it gets it for, once."""

    server: str
    ticket: str = field(repr=False)
    # What vouches for the server beside what the node knows.
    ca_file: str = ""


@dataclass(frozen=True, slots=True)
class RunOrder:
    """What is to be run, where, and with what."""

    id: int
    kind: str
    name: str
    folder: Path
    command: str
    environment: str = ""
    image: Wanted | None = None
    # For how long images that no run uses are kept; 0: for ever.
    images_kept_s: float = 0.0
    zips: bool = False
    copies: bool = False
    ports: tuple[int, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    # Address and commit; without a commit, the branch or tag.
    source: tuple[str, str] | None = None
    git: tuple[str, str] | None = field(default=None, repr=False)
    dataset: tuple[int, Path] | None = None
    parents: tuple[ParentPlace, ...] = ()
    control: Mapping[str, str] = field(default_factory=dict, repr=False)
    defaults: Mapping[str, str] = field(default_factory=dict, repr=False)
    item: Item | None = None
    # None where the site hands no tokens out.
    token: TokenWay | None = None

    @property
    def environments(self) -> Path:
        """Return where the person's conda environments are."""
        return self.folder.parents[2] / ".conda" / "envs"

    @property
    def images(self) -> Path:
        """Return where the person's container images are kept."""
        return self.folder.parents[1] / "images"

    @property
    def input(self) -> tuple[str, Path] | None:
        """Return what is to be read, by its name for people, and where it lies."""
        if self.item is not None:
            return f"data {self.item.data}", self.item.path
        if self.dataset is not None:
            return f"dataset {self.dataset[0]}", self.dataset[1]
        return None


def take_order(secret: Path, folder: Path, environ: Mapping[str, str]) -> RunOrder:
    """Return the order of this job, its folder made and the order kept in it.

    `secret` is read and, where only this job needs it, removed. Once it is gone, what
    was kept in the folder is read, without any credentials.
    """
    told, is_kept = _told(secret, folder)
    try:
        mine = _of_this_task(told, environ)
        order = _order(mine, _claimed(_folder(mine, folder), environ))
    except OSError as error:
        raise _unusable(folder, error) from error
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        problem = f"{type(error).__name__}: {error}"
        raise BadOrder(f"the order is not as it should be: {problem}") from error
    try:
        write_json(order.folder / KEPT, _without_secrets(mine))
        if told.get("tasks"):
            _keep_batch(folder, told)
        elif not is_kept:
            with contextlib.suppress(OSError):  # the hub removes it, too
                secret.unlink()
    except OSError as error:
        raise _unusable(order.folder, error) from error
    return order


def _unusable(folder: Path, error: OSError) -> BadOrder:
    return BadOrder(f"the folder {folder} cannot be used: {error.strerror or error}")


def _keep_batch(folder: Path, told: Told) -> None:
    """Keep what all tasks are to do; the first one to come does it for the others."""
    if not (folder / KEPT_BATCH).exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_json(folder / KEPT_BATCH, _without_secrets(told))


def _told(secret: Path, folder: Path) -> tuple[Told, bool]:
    """Return what was ordered, and whether that is what an earlier job has left."""
    for file in (secret, folder / KEPT_BATCH, folder / KEPT):
        try:
            told = json.loads(own_text(file, _LONGEST))
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            raise BadOrder(f"the order {file} cannot be read: {error}") from error
        if not isinstance(told, dict) or told.get("version") != _VERSION:
            raise BadOrder(f"the order {file} is not of version {_VERSION}")
        return told, file != secret
    raise BadOrder(f"there is no order: neither {secret} nor {folder / KEPT}")


def _of_this_task(told: Told, environ: Mapping[str, str]) -> Told:
    """Return the order with only this job's task in it."""
    if not told.get("tasks"):
        return told
    number = environ.get("SLURM_ARRAY_TASK_ID", "")
    if not number.isdecimal():
        raise ValueError("it is of an array, and this job is none of its tasks")
    return told | {"tasks": [told["tasks"][int(number)]]}


def _folder(told: Told, folder: Path) -> Path:
    """Return the folder of this run, or of this task's run."""
    own = Path(told["tasks"][0]["folder"]) if told.get("tasks") else folder
    if not own.is_absolute() or len(own.parents) < 3 or ".." in own.parts:
        raise ValueError(f"{str(own)!r} cannot be the folder of a run")
    return own


def _claimed(folder: Path, environ: Mapping[str, str]) -> Path:
    """Make a folder this job's; give it one beside it where it is another job's.

    A script that is submitted by hand again must not touch what the first has left.
    """
    job = environ.get("SLURM_ARRAY_JOB_ID") or environ.get("SLURM_JOB_ID")
    job = job or str(os.getpid())
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not _is_mine(folder, job):
        folder = folder.with_name(f"{folder.name.partition('.')[0]}.{job}")
        folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def _is_mine(folder: Path, job: str) -> bool:
    claim = folder / _CLAIM
    try:
        with claim.open("x", encoding="ascii") as stream:
            stream.write(job)
    except FileExistsError:
        return claim.read_text(encoding="ascii", errors="replace") == job
    return True


def _order(told: Told, folder: Path) -> RunOrder:
    run, source, dataset = told["run"], told.get("source"), told.get("dataset")
    task = told["tasks"][0] if told.get("tasks") else None
    return RunOrder(
        id=int(task["run"] if task else run["id"]),
        kind=str(run["kind"]),
        name=str(run["name"]),
        folder=folder,
        command=_text(run["command"]),
        environment=str(run.get("environment") or ""),
        image=wanted_image(told.get("image")),
        images_kept_s=float(told.get("images_kept_s") or 0.0),
        zips=bool(run.get("zip")),
        copies=run.get("staging") == "copy",
        ports=tuple(int(port) for port in run.get("ports") or ()),
        variables=texts(run.get("variables") or {}),
        source=source
        and (str(source["url"]), str(source.get("commit") or source.get("ref") or "")),
        git=pair(told.get("git"), "user", "password"),
        dataset=dataset and (int(dataset["id"]), _path(dataset["path"])),
        parents=tuple(
            ParentPlace(_word(one["kind"]), int(one["id"]), _path(one["path"]))
            for one in told.get("parents") or ()
        ),
        control=texts(told.get("control") or {}),
        defaults=texts(told.get("defaults") or {}),
        item=task and _item(task),
        token=_token_way(told),
    )


def _token_way(told: Told) -> TokenWay | None:
    token = told.get("token")
    if not token:
        return None
    return TokenWay(
        str(told["server"]), str(token["ticket"]), _text(token.get("ca_file") or "")
    )


def _item(task: Mapping[str, Any]) -> Item:
    data = task.get("data")
    return Item(
        None if data is None else int(data),
        _text(task["name"]),
        _path(task["path"]),
        tuple(_text(tag) for tag in task.get("tags") or ()),
    )


def _without_secrets(told: Told) -> Told:
    control = {
        name: value
        for name, value in (told.get("control") or {}).items()
        if name not in _SECRET_VARIABLES
    }
    token = told.get("token")
    kept = token and {**token, "ticket": ""}
    return told | {
        "git": None,
        "token": kept,
        "control": control,
        "image": without_password(told.get("image")),
    }


def _path(value: object) -> Path:
    path = Path(_text(value))
    if not value:
        raise ValueError("the data store did not answer when this was submitted")
    if not path.is_absolute():
        raise ValueError(f"{value!r} cannot be where something lies")
    return path


def _word(value: object) -> str:
    if not isinstance(value, str) or not value.isascii() or not value.isalpha():
        raise ValueError(f"{value!r} is no kind of run")
    return value


def _text(value: object) -> str:
    text = str(value)
    if "\0" in text:
        raise ValueError("a text of it has a NUL character")
    os.fsencode(text)
    return text
