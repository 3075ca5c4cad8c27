"""What may be chosen for a notebook: each field has an allow-list or a bound."""

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from kqi_hub.domain.errors import InvalidInput
from kqi_hub.domain.job_choices import (
    LARGEST_NUMBER,
    check_account,
    check_dataset,
    check_environment,
    check_queue,
    check_repository,
    check_shape,
    check_text,
    check_variables,
    shown,
)
from kqi_hub.domain.notebooks import (
    LONGEST_NAME,
    Choices,
    NotebookRules,
    Preset,
)

LONGEST_MEMO: Final = 1000
LONGEST_COMMAND: Final = 8192
MOST_PARENTS: Final = 20
SHORTEST_LIFETIME_S: Final = 3600
_HOUR_S: Final = 3600
_NAME: Final = re.compile(rf"[a-z0-9-]{{1,{LONGEST_NAME}}}")
_PRESET: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,29}")


def checked_choices(choices: Choices, rules: NotebookRules) -> Choices:
    """Return the choices, or raise InvalidInput naming the field and its rule.

    With a preset, queue, size and lifetime become the operator's. Whether a queue has
    room or takes such a job at all is asked when it is started.
    """
    check_name(choices.name)
    check_account(choices.tenant)
    if choices.preset:
        choices = with_preset(choices, rules.presets)
    else:
        check_queue(choices.queue)
        check_shape(choices.shape)
        _check_lifetime(choices, rules)
    check_environment(choices.environment)
    if choices.repository is not None:
        check_repository(choices.repository)
    _check_push(choices)
    check_variables(choices.variables)
    check_text(choices.command, LONGEST_COMMAND, "command")
    check_text(choices.memo, LONGEST_MEMO, "memo")
    check_dataset(choices.dataset)
    _check_parents(choices.parents)
    return choices


def _check_push(choices: Choices) -> None:
    """Refuse a token where there is no server that it could be for."""
    url = "" if choices.repository is None else choices.repository.url
    if choices.may_push and not url.startswith("https://"):
        raise InvalidInput(
            "may_push: your token is for a repository whose address begins with "
            "https://.",
            "Name such a repository, or do not choose git push.",
        )


def _check_parents(parents: tuple[int, ...]) -> None:
    """Refuse what are no numbers of runs; whose they are, the service asks."""
    are_numbers = all(1 <= one <= LARGEST_NUMBER for one in parents)
    if not are_numbers or len(set(parents)) < len(parents):
        raise InvalidInput(
            "parents: these are not the numbers of runs, each once.",
            "Choose from your own trainings, inferences and preprocessings, or none.",
        )
    if len(parents) > MOST_PARENTS:
        raise InvalidInput(
            "parents: there are more than {most} of them.",
            "Leave some out.",
            most=MOST_PARENTS,
        )


def check_name(name: str) -> None:
    """Refuse what is no name of a notebook (K-117)."""
    if _NAME.fullmatch(name) is None:
        raise InvalidInput(
            "name: a notebook's name has 1 to {most} characters of a-z, 0-9 and -.",
            "Choose a name such as first-steps.",
            most=LONGEST_NAME,
        )


def with_preset(choices: Choices, presets: Iterable[Preset]) -> Choices:
    """Return the choices with the operator's part, as it is now."""
    known = [one for one in presets if not one.tenants or choices.tenant in one.tenants]
    found = next((one for one in known if one.name == choices.preset), None)
    if found is None:
        raise InvalidInput(
            "preset: there is no ready-made choice {preset} for tenant {tenant}.",
            "Choose from: {presets}.",
            preset=shown(choices.preset),
            tenant=choices.tenant,
            presets=", ".join(one.name for one in known) or "-",
        )
    return replace(
        choices, queue=found.queue, shape=found.shape, lifetime_s=found.lifetime_s
    )


def _check_lifetime(choices: Choices, rules: NotebookRules) -> None:
    lifetime = choices.lifetime_s
    if lifetime is None:
        if choices.tenant in rules.unlimited_tenants:
            return
        raise InvalidInput(
            "lifetime: tenant {tenant} may not run notebooks without a lifetime.",
            "Choose 1 to {most} hours.",
            tenant=choices.tenant,
            most=rules.longest_lifetime_s // _HOUR_S,
        )
    if not SHORTEST_LIFETIME_S <= lifetime <= rules.longest_lifetime_s:
        raise InvalidInput(
            "lifetime: a notebook runs for 1 to {most} hours.",
            "Choose a lifetime in between.",
            most=rules.longest_lifetime_s // _HOUR_S,
        )
