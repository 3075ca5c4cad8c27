"""The Pythons that engines may run in: the kernels' own, as far as they can."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Any, Final

# What the chosen environment's Python is called as well; without one it is the site's.
_USUAL: Final = "python3"
_SITE: Final = "site-python3"
_PACKAGE: Final = "ipyparallel"


@dataclass(frozen=True, slots=True)
class Python:
    """A kernel's Python."""

    kernel: str
    title: str
    program: str
    variables: Mapping[str, str] = field(default_factory=dict)


def pythons(specs: Mapping[str, Mapping[str, Any]], default: str) -> list[Python]:
    """Return those that have IPython Parallel, the notebook's own first."""
    found = []
    for name, told in specs.items():
        spec = told["spec"]
        prefix = dict(spec.get("metadata") or {}).get("kqi", {}).get("prefix", "")
        if name == _SITE or (name == _USUAL and not prefix):
            found.append(Python(name, str(spec["display_name"]), sys.executable))
        if name == _USUAL or not prefix or spec.get("language") != "python":
            continue
        if _has_package(Path(prefix)):
            found.append(_of_environment(name, spec, Path(prefix)))
    sites = (_USUAL, _SITE)
    return sorted(found, key=lambda one: (one.kernel != default, one.kernel in sites))


def _has_package(prefix: Path) -> bool:
    return any(prefix.glob(f"lib/python3.*/site-packages/{_PACKAGE}/__init__.py"))


def _of_environment(name: str, spec: Mapping[str, Any], prefix: Path) -> Python:
    variables = {
        str(key): Template(str(value)).safe_substitute(os.environ)
        for key, value in dict(spec.get("env") or {}).items()
    }
    title, program = str(spec["display_name"]), str(prefix / "bin" / "python")
    return Python(name, title, program, variables)
