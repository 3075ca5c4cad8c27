"""Write an environment down so that it can be made again here or elsewhere.

Everything is read from its files; its own Python, which may be broken, is not run.
"""

import json
from collections.abc import Iterable
from typing import Any, Final

from conda_bootstrap import environment_yml
from conda_bootstrap.errors import BootstrapError, Refused, WrongUse
from conda_bootstrap.packages import (
    Distribution,
    all_distributions,
    distributions,
    records,
)
from conda_bootstrap.places import Places

# Of a package's record, in the order in which lock files have them.
_FIELDS: Final = (
    "name",
    "version",
    "build",
    "build_number",
    "subdir",
    "noarch",
    "sha256",
    "md5",
    "depends",
    "constrains",
    "size",
    "timestamp",
)
FORMATS: Final = ("yml", "explicit", "pip", "lock")


def text(places: Places, name: str, form: str) -> str:
    """Return an environment in one of the formats: yml, explicit, pip or lock."""
    if form not in FORMATS:
        raise WrongUse(
            "format",
            f"There is no format {ascii(form)[:40]}.",
            f"Formats: {', '.join(FORMATS)}.",
        )
    path = places.environment(name)
    if not path.is_dir():
        raise Refused("no_environment", f"There is no environment {name}.")
    if form == "pip":
        return "".join(f"{one.spec}\n" for one in all_distributions(path))
    try:
        found = records(path)
    except ValueError as error:
        raise BootstrapError(
            "records",
            f"{name} cannot be written down whole: {error}.",
            f"Export it as pip, or mend it first: repair {name}",
        ) from error
    writer = {"yml": _yml, "explicit": _explicit, "lock": _lock}[form]
    return writer(name, found, distributions(path))


def _yml(name: str, found: list[dict[str, Any]], pip: Iterable[Distribution]) -> str:
    specs = [f"{one['name']}={one['version']}" for one in found]
    return environment_yml.write(
        name, _channels(found), specs, [one.spec for one in pip]
    )


def _explicit(
    name: str, found: list[dict[str, Any]], pip: Iterable[Distribution]
) -> str:
    lines = [f"# environment: {name}", f"# platform: {_platform(found)}", *_notes(pip)]
    lines.append("@EXPLICIT")
    for one in found:
        checksum = f"#{one['md5']}" if one.get("md5") else ""
        lines.append(f"{one.get('url', '')}{checksum}")
    return "\n".join(lines) + "\n"


def _lock(name: str, found: list[dict[str, Any]], pip: Iterable[Distribution]) -> str:
    """Return a lock file as rattler and pixi read it (version 6)."""
    lines = [f"# environment: {name}", *_notes(pip), "version: 6", "environments:"]
    lines += ["  default:", "    channels:"]
    lines += [f"    - url: {_quoted(one)}" for one in _channels(found)]
    lines += ["    packages:", f"      {_platform(found)}:"]
    lines += [f"      - conda: {_plain_url(one)}" for one in found]
    lines.append("packages:")
    for one in found:
        lines += _lock_entry(one)
    return "\n".join(lines) + "\n"


def _lock_entry(record: dict[str, Any]) -> list[str]:
    lines = [f"- conda: {_plain_url(record)}"]
    lines += [f"  {key}: {_quoted(record[key])}" for key in _FIELDS if record.get(key)]
    return lines


def _notes(pip: Iterable[Distribution]) -> list[str]:
    """Return comments that our own import reads: these formats know no pip names."""
    return [f"# pip: {one.spec}" for one in pip]


def _channels(found: list[dict[str, Any]]) -> list[str]:
    told = [str(one["url"]).rsplit("/", 2)[0] for one in found if one.get("url")]
    return list(dict.fromkeys(told))


def _platform(found: list[dict[str, Any]]) -> str:
    told = {str(one.get("subdir")) for one in found} - {"noarch", "None"}
    return min(told, default="linux-64")


def _plain_url(record: dict[str, Any]) -> str:
    return str(record.get("url", ""))


def _quoted(value: object) -> str:
    """Return a value as JSON, which is YAML as well."""
    return json.dumps(value, ensure_ascii=True)
