"""What may be chosen for any job: each field has an allow-list or a bound."""

import re
from typing import Final
from urllib.parse import urlsplit

from kqi_hub.domain.errors import InvalidInput
from kqi_hub.domain.notebooks import Repository, Shape
from kqi_hub.domain.one_line import has_hidden

LONGEST_URL: Final = 1000
LONGEST_VALUE: Final = 4096
MOST_VARIABLES: Final = 100
_ACCOUNT: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,63}")
_QUEUE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
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
LARGEST_NUMBER: Final = 2**63 - 1


def check_account(tenant: str) -> None:
    """Refuse what is no name of a tenant."""
    _match(_ACCOUNT, tenant, "tenant")


def check_queue(queue: str) -> None:
    """Refuse what is no name of a queue; whether it is there, the picture says."""
    _match(_QUEUE, queue, "queue")


def check_environment(name: str) -> None:
    """Refuse what is no name of an environment; none is fine."""
    if name:
        _match(_ENVIRONMENT, name, "environment")


def check_shape(shape: Shape) -> None:
    """Refuse a size that no cluster has, and a type of GPU without one."""
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


def check_repository(repository: Repository) -> None:
    """Refuse what git would not take for an address or a name, or would show."""
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


def check_variables(variables: tuple[tuple[str, str], ...]) -> None:
    """Refuse names that a shell or the portal has its own use for (KX-21)."""
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
                name=shown(name),
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


def check_dataset(dataset: int | None) -> None:
    """Refuse what is no number of a dataset; whose it is, the service asks."""
    if dataset is not None and not 1 <= dataset <= LARGEST_NUMBER:
        raise InvalidInput(
            "dataset: this is not the number of a dataset.",
            "Choose one from the list of datasets, or none.",
        )


def check_text(text: str, most: int, field: str) -> None:
    """Refuse lines that hide something, and more than a field takes."""
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
            text=shown(text),
        )


def shown(text: str) -> str:
    """Return the beginning of what somebody typed, safe to be told again."""
    return ascii(text[:64])
