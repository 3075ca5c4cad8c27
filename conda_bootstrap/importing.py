"""Tell what kind of file it is that an environment was written down in."""

import re
from dataclasses import replace
from typing import Final

from conda_bootstrap import environment_yml
from conda_bootstrap.errors import WrongUse
from conda_bootstrap.pip_packages import check_spec
from conda_bootstrap.site_bases import Site
from conda_bootstrap.sources import (
    Source,
    check_text,
    from_base,
    from_explicit,
    from_lock,
)

_PIP_LINE: Final = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9._-]*(\[[A-Za-z0-9,._-]+\])?"
    r"\s*((==|>=|<=|~=|!=|<|>|@)\s*\S+)?"
)


def from_export(text: str, site: Site) -> Source:
    """Return what an export asks for, whichever of the formats it is in.

    A list of pip needs something with a pip in it to begin with: the site's base.
    """
    check_text(text, "export")
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    if not lines:
        raise WrongUse("empty", "This export is empty.")
    if lines[0] == "@EXPLICIT":
        return from_explicit(text)
    if any(line.startswith("version:") for line in lines[:3]):
        return from_lock(text)
    if any(line.startswith("dependencies:") for line in lines):
        return from_yml(text)
    return _from_pip(lines, site)


def from_yml(text: str) -> Source:
    """Return what an environment.yml asks for.

    Its channels are left aside: the site's are asked, which mirror what it allows.
    """
    found = environment_yml.read(text)
    specs = found.specs
    if found.pip:
        specs += tuple({"python", "pip"} - {_name_of(one) for one in specs})
    return Source("specs", specs=specs, pip=found.pip)


def _from_pip(lines: list[str], site: Site) -> Source:
    """Return the site's own base with what pip adds to it of a list."""
    if bad := next((one for one in lines if not _PIP_LINE.fullmatch(one)), None):
        raise WrongUse(
            "export",
            "This is no environment.yml, no lock, no explicit list and no list of pip: "
            f"{ascii(bad)[:80]} is not understood.",
            "Give a file as it was exported.",
        )
    return replace(from_base(site.base()), pip=tuple(check_spec(one) for one in lines))


def _name_of(spec: str) -> str:
    """Return the package's name: what comes before a version, and after a channel."""
    return re.split(r"[ =<>!~\[]", spec.rpartition("::")[2], maxsplit=1)[0].lower()
