"""What happens between the node and the server: repository, command, kernels.

Nothing here keeps the server from starting: what fails is said in the log and, as a
notice, inside the notebook.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from kqi_hub.runner.dataset import Near, NoDataset, link_dataset
from kqi_hub.runner.folders import Folders
from kqi_hub.runner.kernels import (
    CondaKernel,
    conda_kernels,
    has_environment,
    kernel_of,
    publish,
)
from kqi_hub.runner.order import Order
from kqi_hub.runner.parents import link_parents
from kqi_hub.runner.programs import run
from kqi_hub.runner.repository import CloneFailed, Source, bring

Say = Callable[[str], None]
# A code that pages have a text for, and what is to be filled in.
Notice = dict[str, str]


@dataclass(frozen=True, slots=True)
class Prepared:
    """The kernel to begin with, None for the site's own, and what went wrong."""

    kernel: str | None
    notices: tuple[Notice, ...]


def prepare(
    order: Order,
    near: Near,
    folders: Folders,
    environment: Mapping[str, str],
    say: Say,
) -> Prepared:
    """Link what is read, bring the repository, run the start command, find kernels."""
    notices: list[Notice] = []
    _dataset(order, near, folders, say, notices)
    for number, why in link_parents(order.parents, folders.workspace, say):
        notices.append({"code": "parent-missing", "run": str(number), "detail": why})
    clone = _repository(order, folders, environment, say, notices)
    _command(order, clone or folders.workspace, environment, say, notices)
    kernel = _kernels(order, folders, say, notices)
    return Prepared(kernel, tuple(notices))


def _dataset(
    order: Order, near: Near, folders: Folders, say: Say, notices: list[Notice]
) -> None:
    number, place = near.dataset or ("", "")
    if near.why:
        notices.append(
            {"code": "dataset-linked", "dataset": str(number), "detail": near.why}
        )
    try:
        link_dataset(order.dataset, folders.workspace, say, place)
    except NoDataset as error:
        say(f"Dataset {number} cannot be read: {error}. The notebook starts without.")
        notices.append(
            {"code": "dataset-missing", "dataset": str(number), "detail": str(error)}
        )


def _repository(
    order: Order,
    folders: Folders,
    environment: Mapping[str, str],
    say: Say,
    notices: list[Notice],
) -> Path | None:
    if order.repository is None:
        return None
    if order.may_push and order.git is None:
        say("You have stored no token for the repository's Git server: git push asks.")
        notices.append({"code": "push-no-token"})
    source = Source(*order.repository, credentials=order.git)
    try:
        return bring(source, folders.workspace / "git", environment, say)
    except CloneFailed as error:
        say(f"The repository was not brought: {error}. The notebook starts without it.")
        notices.append({"code": "clone-failed", "detail": str(error)})
        return None


def _command(
    order: Order,
    folder: Path,
    environment: Mapping[str, str],
    say: Say,
    notices: list[Notice],
) -> None:
    """Run the start command; its time counts, its failure is no reason not to start."""
    if not order.command.strip():
        return
    begun = time.monotonic()
    say(f"The start command runs in {folder}.")
    try:
        code = run(["/bin/bash", "-c", order.command], folder, environment)
    except OSError as error:
        say(f"The start command could not be run: {error}.")
        notices.append({"code": "command-failed", "detail": str(error)})
        return
    took = time.monotonic() - begun
    if code == 0:
        say(f"The start command has ended after {took:.1f} s.")
        return
    say(f"The start command FAILED with exit code {code} after {took:.1f} s.")
    notices.append({"code": "command-failed", "detail": f"exit code {code}"})


def _kernels(
    order: Order, folders: Folders, say: Say, notices: list[Notice]
) -> str | None:
    environments = order.folder / ".conda" / "envs"
    kernels = conda_kernels(environments)
    try:
        publish(kernels, folders.data)
    except OSError as error:
        say(f"The kernels of your conda environments cannot be shown: {error}.")
    if not order.environment:
        return None
    return _chosen(order.environment, environments, kernels, say, notices)


def _chosen(
    name: str,
    environments: Path,
    kernels: tuple[CondaKernel, ...],
    say: Say,
    notices: list[Notice],
) -> str | None:
    """Return the chosen environment's kernel; when it has none, say what is missing."""
    kernel = kernel_of(name, kernels)
    if kernel is not None:
        say(f"The environment {name} is the kernel that notebooks begin with.")
        return kernel
    if has_environment(environments, name):
        code, what = "environment-no-kernel", "has no kernel: install ipykernel in it"
    else:
        code, what = "environment-missing", f"is not in {environments}"
    say(f"The environment {name} {what}. The site's own Python is used meanwhile.")
    notices.append({"code": code, "environment": name})
    return None
