"""The Pythons that engines may run in: the kernels' own, as far as they can."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Any, Final

_SITE: Final = "python3"
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
        if name == _SITE:
            found.append(Python(name, str(spec["display_name"]), sys.executable))
        elif prefix and spec.get("language") == "python" and _has_package(Path(prefix)):
            found.append(_of_environment(name, spec, Path(prefix)))
    return sorted(found, key=lambda one: (one.kernel != default, one.kernel == _SITE))


def _has_package(prefix: Path) -> bool:
    return any(prefix.glob(f"lib/python3.*/site-packages/{_PACKAGE}/__init__.py"))


def _of_environment(name: str, spec: Mapping[str, Any], prefix: Path) -> Python:
    variables = {
        str(key): Template(str(value)).safe_substitute(os.environ)
        for key, value in dict(spec.get("env") or {}).items()
    }
    title, program = str(spec["display_name"]), str(prefix / "bin" / "python")
    return Python(name, title, program, variables)
