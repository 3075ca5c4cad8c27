"""What may be chosen for a notebook: each field has an allow-list or a bound."""

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from kqi_hub.domain.errors import InvalidInput
from kqi_hub.domain.notebooks import (
    LONGEST_NAME,
    Choices,
    NotebookRules,
    Preset,
    Repository,
    Shape,
)
from kqi_hub.domain.one_line import has_hidden

LONGEST_MEMO: Final = 1000
LONGEST_COMMAND: Final = 8192
LONGEST_URL: Final = 1000
LONGEST_VALUE: Final = 4096
MOST_VARIABLES: Final = 100
SHORTEST_LIFETIME_S: Final = 3600
_HOUR_S: Final = 3600
_NAME: Final = re.compile(rf"[a-z0-9-]{{1,{LONGEST_NAME}}}")
_ACCOUNT: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,63}")
_QUEUE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_PRESET: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,29}")
_GPU_TYPE: Final = re.compile(r"[A-Za-z0-9_.-]{0,40}")
_ENVIRONMENT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_REF: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./+@-]{0,199}")
_VARIABLE: Final = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]{0,127}")
# git@host:folder/name.git, as Git services show it.
_SCP: Final = re.compile(r"[A-Za-z0-9_.-]+@[A-Za-z0-9.-]+:[^\s:-][^\s:]*")
_SCHEMES: Final = frozenset({"https", "http", "ssh"})
# What the hub, the job and the portal say to a session: nobody overrides it (KX-21).
_OURS: Final = ("JUPYTERHUB_", "JPY_", "KQI_", "SLURM_", "SLURMD_", "SBATCH_")
_OURS_EXACTLY: Final = frozenset({"HOME", "USER", "LOGNAME", "SHELL"})
_LARGEST: Final = Shape(65_536, 2**40, 1024)
_LARGEST_NUMBER: Final = 2**63 - 1


def checked_choices(choices: Choices, rules: NotebookRules) -> Choices:
    """Return the choices, or raise InvalidInput naming the field and its rule.

    With a preset, queue, size and lifetime become the operator's. Whether a queue has
    room or takes such a job at all is asked when it is started.
    """
    check_name(choices.name)
    _match(_ACCOUNT, choices.tenant, "tenant")
    if choices.preset:
        choices = with_preset(choices, rules.presets)
    else:
        _match(_QUEUE, choices.queue, "queue")
        _check_shape(choices.shape)
        _check_lifetime(choices, rules)
    if choices.environment:
        _match(_ENVIRONMENT, choices.environment, "environment")
    if choices.repository is not None:
        _check_repository(choices.repository)
    _check_variables(choices.variables)
    _check_text(choices.command, LONGEST_COMMAND, "command")
    _check_text(choices.memo, LONGEST_MEMO, "memo")
    _check_dataset(choices.dataset)
    return choices


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
            preset=_shown(choices.preset),
            tenant=choices.tenant,
            presets=", ".join(one.name for one in known) or "-",
        )
    return replace(
        choices, queue=found.queue, shape=found.shape, lifetime_s=found.lifetime_s
    )


def _check_shape(shape: Shape) -> None:
    bounds = (
        ("cpus", shape.cpus, 1, _LARGEST.cpus),
        ("memory_mb", shape.memory_mb, 1, _LARGEST.memory_mb),
        ("gpus", shape.gpus, 0, _LARGEST.gpus),
    )
    for field, amount, least, most in bounds:
        if not least <= amount <= most:
            raise InvalidInput(
                "{field}: this must be from {least} to {most}.",
                "Correct it and send it again.",
                field=field,
                least=least,
                most=most,
            )
    _match(_GPU_TYPE, shape.gpu_type, "gpu_type")
    if shape.gpu_type and not shape.gpus:
        raise InvalidInput(
            "gpu_type: a type of GPU is chosen, but no GPU.",
            "Ask for at least one GPU, or leave the type out.",
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


def _check_repository(repository: Repository) -> None:
    url = repository.url
    if not _is_repository(url):
        raise InvalidInput(
            "repository: this is not the address of a Git repository.",
            "It looks like https://git.example.org/group/name.git or "
            "git@git.example.org:group/name.git.",
        )
    if urlsplit(url).scheme in {"http", "https"} and urlsplit(url).password:
        raise InvalidInput(
            "repository: there is a password in this address, which others could see.",
            "Store it under Your account, Git services, and leave it out here.",
        )
    ref = repository.ref
    if ref and (_REF.fullmatch(ref) is None or ".." in ref or "@{" in ref):
        raise InvalidInput(
            "ref: this is not the name of a branch, tag or commit.",
            "Leave it empty for the repository's default branch.",
        )


def _is_repository(url: str) -> bool:
    if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable():
        return False
    if " " in url or url.startswith("-"):
        return False
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if parts.scheme in _SCHEMES:
        # ssh would take a host such as -oProxyCommand=... for an option.
        return bool(host) and not host.startswith("-") and len(parts.path) > 1
    return _SCP.fullmatch(url) is not None and not url.startswith("-")


def _check_variables(variables: tuple[tuple[str, str], ...]) -> None:
    if len(variables) > MOST_VARIABLES:
        raise InvalidInput(
            "variables: there are more than {most} of them.",
            "Put them into a file in your workspace.",
            most=MOST_VARIABLES,
        )
    seen: set[str] = set()
    for name, value in variables:
        if _VARIABLE.fullmatch(name) is None:
            raise InvalidInput(
                "variables: {name} cannot be the name of an environment variable.",
                "Names are made of letters, digits and . _ -, and begin with no digit.",
                name=_shown(name),
            )
        if name in _OURS_EXACTLY or name.startswith(_OURS):
            raise InvalidInput(
                "variables: {name} is set by the portal and cannot be another.",
                "Leave it out.",
                name=name,
            )
        if name in seen:
            raise InvalidInput(
                "variables: {name} is there twice.", "Leave one out.", name=name
            )
        seen.add(name)
        if len(value) > LONGEST_VALUE or _is_unfit(value):
            raise InvalidInput(
                "variables: the value of {name} is too long or holds characters that "
                "no variable can.",
                "A value has up to {most} characters.",
                name=name,
                most=LONGEST_VALUE,
            )


def _check_dataset(dataset: int | None) -> None:
    """Refuse what is no number of a dataset; whose it is, the service asks."""
    if dataset is not None and not 1 <= dataset <= _LARGEST_NUMBER:
        raise InvalidInput(
            "dataset: this is not the number of a dataset.",
            "Choose one from the list of datasets, or none.",
        )


def _check_text(text: str, most: int, field: str) -> None:
    lines = text.replace("\t", " ").split("\n")
    if len(text) > most or any(has_hidden(line) for line in lines):
        raise InvalidInput(
            "{field}: this has more than {most} characters, or some that do not show.",
            "Shorten it, or type it again.",
            field=field,
            most=most,
        )


def _is_unfit(text: str) -> bool:
    return "\0" in text or any("\ud800" <= char <= "\udfff" for char in text)


def _match(allowed: re.Pattern[str], text: str, field: str) -> None:
    if allowed.fullmatch(text) is None:
        raise InvalidInput(
            "{field}: {text} cannot be one.",
            "Choose one that the portal shows.",
            field=field,
            text=_shown(text),
        )


def _shown(text: str) -> str:
    return ascii(text[:64])
