"""What a wheel requires, in the words of a conda channel."""

from collections.abc import Iterable
from email.message import Message
from typing import Final

from packaging.markers import Environment, default_environment
from packaging.requirements import Requirement
from packaging.specifiers import Specifier, SpecifierSet
from packaging.utils import canonicalize_name

# The public conda channel spells these unlike the package index, which takes `-`, `_`
# and `.` for the same. Environment files written for the one have to fit the other.
_CONDA_NAMES: Final = {
    "jupyter-builder": "jupyter_builder",
    "jupyter-client": "jupyter_client",
    "jupyter-core": "jupyter_core",
    "jupyter-events": "jupyter_events",
    "jupyter-server": "jupyter_server",
    "jupyter-server-terminals": "jupyter_server_terminals",
    "jupyterlab-pygments": "jupyterlab_pygments",
    "jupyterlab-server": "jupyterlab_server",
    "ipython-pygments-lexers": "ipython_pygments_lexers",
    "prometheus-client": "prometheus_client",
    "pure-eval": "pure_eval",
    "rfc3339-validator": "rfc3339_validator",
    "stack-data": "stack_data",
    "typing-extensions": "typing_extensions",
    "tzdata": "python-tzdata",
    "uri-template": "uri_template",
}


def conda_name(name: str) -> str:
    """Return what the public conda channel calls a package of the index."""
    plain = canonicalize_name(name)
    return _CONDA_NAMES.get(plain, plain)


def required(metadata: Message, extras: Iterable[str] = ()) -> tuple[Requirement, ...]:
    """Return what a wheel with these extras requires here."""
    texts: list[str] = metadata.get_all("Requires-Dist") or []
    wanted = ["", *sorted(extras)]
    everything = [Requirement(text) for text in texts]
    return tuple(one for one in everything if _applies(one, wanted))


def _applies(requirement: Requirement, extras: list[str]) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate(_here(one)) for one in extras)


def _here(extra: str) -> dict[str, str]:
    here: Environment = default_environment()
    return {**{key: str(value) for key, value in here.items()}, "extra": extra}


def match_specs(requirements: Iterable[Requirement]) -> tuple[str, ...]:
    """Return requirements as conda writes them, one for each package."""
    versions: dict[str, set[str]] = {}
    for one in requirements:
        parts = {_version_part(part) for part in one.specifier}
        versions.setdefault(conda_name(one.name), set()).update(parts)
    return tuple(
        f"{name} {','.join(sorted(parts))}".strip()
        for name, parts in sorted(versions.items())
    )


def python_spec(requires_python: str | None) -> str:
    """Return the Python that a wheel wants, as conda writes it."""
    parts = sorted(map(_version_part, SpecifierSet(requires_python or "")))
    return f"python {','.join(parts)}".strip()


def _version_part(part: Specifier) -> str:
    if part.operator == "===":
        return f"=={part.version}"
    if part.operator == "==" and part.version.endswith(".*"):
        return part.version
    return f"{part.operator}{part.version}"
