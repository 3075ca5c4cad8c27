"""What may be chosen for a run: each field has an allow-list or a bound."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from kqi_hub.domain.data_rules import checked_tag
from kqi_hub.domain.datasets import checked_memo
from kqi_hub.domain.errors import InvalidInput
from kqi_hub.domain.images import check_image
from kqi_hub.domain.job_choices import (
    check_account,
    check_dataset,
    check_environment,
    check_queue,
    check_repository,
    check_shape,
    check_variables,
)
from kqi_hub.domain.notebooks import Repository
from kqi_hub.domain.runs import (
    LONGEST_NAME,
    Parent,
    RunChange,
    RunKind,
    RunRules,
    RunSpec,
    Source,
)

LONGEST_COMMAND_BYTES: Final = 64 * 1024
SHORTEST_LIFETIME_S: Final = 60
MOST_PORTS: Final = 32
MOST_PARENTS: Final = 20
MOST_TAGS: Final = 50
_HIGHEST_PORT: Final = 65_535
_LARGEST_NUMBER: Final = 2**63 - 1
_NAME: Final = re.compile(rf"[a-z0-9-]{{1,{LONGEST_NAME}}}")
_COMMIT: Final = re.compile(r"[0-9a-fA-F]{4,40}")
# Whose output a run of each kind may read (K-68, KX-72).
_PARENTS: Final = {
    RunKind.TRAINING: frozenset({RunKind.TRAINING, RunKind.INFERENCE}),
    RunKind.INFERENCE: frozenset({RunKind.TRAINING, RunKind.INFERENCE}),
    RunKind.PREPROCESSING: frozenset[RunKind](),
}


def checked_spec(kind: RunKind, spec: RunSpec, rules: RunRules) -> RunSpec:
    """Return what is asked for, tidied, or raise InvalidInput naming field and rule.

    Whether a queue, a dataset, a parent or a commit is there is asked elsewhere.
    """
    check_run_name(spec.name)
    check_account(spec.tenant)
    check_queue(spec.queue)
    check_shape(spec.shape)
    _check_lifetime(spec.lifetime_s, rules)
    check_dataset(spec.dataset)
    _check_parents(kind, spec.parents)
    check_software(spec.environment, spec.image)
    if spec.source is not None:
        _check_source(spec.source)
    check_variables(spec.variables)
    _check_ports(spec.ports)
    return replace(
        spec,
        command=checked_command(spec.command),
        memo=checked_memo(spec.memo),
        tags=checked_tags(spec.tags),
    )


def checked_change(change: RunChange) -> RunChange:
    """Return a change of a run, tidied, or raise InvalidInput."""
    if change.name is not None:
        check_run_name(change.name)
    return replace(
        change,
        memo=None if change.memo is None else checked_memo(change.memo),
        tags=None if change.tags is None else checked_tags(change.tags),
        add_tags=checked_tags(change.add_tags),
        remove_tags=tuple(tag.strip() for tag in change.remove_tags),
    )


def check_run_name(name: str) -> None:
    """Refuse what is no name of a run (K-67)."""
    if _NAME.fullmatch(name) is None:
        raise InvalidInput(
            "name: a run's name has 1 to {most} characters of a-z, 0-9 and -.",
            "Choose a name such as resnet-50-lr3.",
            most=LONGEST_NAME,
        )


def check_software(environment: str, image: str) -> None:
    """Refuse what is no environment, no image, or both of them."""
    check_environment(environment)
    check_image(image)
    if environment and image:
        raise InvalidInput(
            "image: a run is in a conda environment or in a container image.",
            "Leave one of the two empty.",
        )


def checked_command(command: str) -> str:
    """Return a command with the line ends of Unix; any text that a shell can read."""
    # Browsers send a text of several lines with those of other systems.
    plain = command.replace("\r\n", "\n")
    if not plain.strip():
        raise InvalidInput(
            "command: there is nothing to run.", "Type what the job is to do."
        )
    if "\0" in plain or any("\ud800" <= char <= "\udfff" for char in plain):
        raise InvalidInput(
            "command: it holds characters that no shell can read.",
            "Type it again; a NUL may have come with a copy.",
        )
    if len(plain.encode()) > LONGEST_COMMAND_BYTES:
        raise InvalidInput(
            "command: it is longer than {most} KB.",
            "Put it into a script in your repository or workspace and run that.",
            most=LONGEST_COMMAND_BYTES // 1024,
        )
    return plain


def checked_tags(tags: Sequence[str]) -> tuple[str, ...]:
    """Return tags, each once, in the order of the alphabet."""
    found = {checked_tag(tag) for tag in tags}
    if len(found) > MOST_TAGS:
        raise InvalidInput(
            "tags: there are more than {most} of them.",
            "Leave some out.",
            most=MOST_TAGS,
        )
    return tuple(sorted(found))


def _check_lifetime(lifetime_s: int, rules: RunRules) -> None:
    if not SHORTEST_LIFETIME_S <= lifetime_s <= rules.longest_lifetime_s:
        raise InvalidInput(
            "lifetime: a run has {least} minute to {most} hours.",
            "Choose a time in between; a queue may allow less.",
            least=SHORTEST_LIFETIME_S // 60,
            most=rules.longest_lifetime_s // 3600,
        )


def _check_parents(kind: RunKind, parents: tuple[Parent, ...]) -> None:
    if len(parents) > MOST_PARENTS:
        raise InvalidInput(
            "parents: there are more than {most} of them.",
            "Leave some out.",
            most=MOST_PARENTS,
        )
    if len(set(parents)) < len(parents):
        raise InvalidInput(
            "parents: one of them is there twice.", "Leave one of the two out."
        )
    for one in parents:
        if one.kind not in _PARENTS[kind] or not 1 <= one.id <= _LARGEST_NUMBER:
            raise InvalidInput(
                "parents: {kind} {id} cannot be a parent of this.",
                "Choose trainings or inferences of your own.",
                kind=one.kind.value,
                id=one.id,
            )


def _check_source(source: Source) -> None:
    check_repository(Repository(source.url, source.ref))
    if source.commit and _COMMIT.fullmatch(source.commit) is None:
        raise InvalidInput(
            "commit: a commit is 40 hexadecimal digits, or the first few of them.",
            "Copy it from the Git service, or leave it out for the branch's newest.",
        )


def _check_ports(ports: tuple[int, ...]) -> None:
    if len(ports) > MOST_PORTS or len(set(ports)) < len(ports):
        raise InvalidInput(
            "ports: up to {most} ports, each once.",
            "Leave some out.",
            most=MOST_PORTS,
        )
    for port in ports:
        # 0 would stand for any port, which nobody could name afterwards.
        if not 1 <= port <= _HIGHEST_PORT:
            raise InvalidInput(
                "ports: {port} is no port.",
                "A port is a number from 1 to {most}.",
                port=port,
                most=_HIGHEST_PORT,
            )
