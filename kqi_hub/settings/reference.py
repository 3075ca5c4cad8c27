"""Write docs/operators/settings.md: `python -m kqi_hub.settings.reference`."""

import dataclasses
import sys
from collections.abc import Iterator
from typing import Any, get_type_hints

from kqi_hub.settings.building import (
    expectation,
    header_of,
    is_list,
    is_optional,
    is_required,
    may_be_absent,
    tables_of,
)
from kqi_hub.settings.field import about_of
from kqi_hub.settings.kinds import kind_of
from kqi_hub.settings.model import Settings
from kqi_hub.settings.toml import toml_value

_HEAD = """\
# Settings

<!-- Written by `python -m kqi_hub.settings.reference > docs/operators/settings.md`
     from kqi_hub/settings/model.py. Change it there. -->

Everything is in one TOML file, read once when a process starts: the file named with
`--config`, else in the environment variable `KQI_CONFIG`, else `/etc/kqi/kqi.toml`.
After a change run `kqi-hub config check` as the service user, then restart the
services. A key or table that is not listed here is refused, with the file, the key,
and what was expected. `kqi-hub config show` prints what is in force, defaults included.

Secrets are never in this file. A key that ends in `_file` and says *secret* names a
file of its own: one line of text, owned by the service user with mode 0600, or by root
with the service's group and mode 0640, not reached through a symbolic link or a folder
in which others may write.

The smallest file that is right:

```toml
{minimal}
```
"""


def reference() -> str:
    """Return the whole page."""
    parts = [_HEAD.format(minimal=minimal_file())]
    for name, table in tables_of(Settings).items():
        parts.append("\n".join(_section(name, table)))
    return "\n".join(parts)


def minimal_file() -> str:
    """Return a settings file that holds what has no default, and nothing else."""
    parts = []
    for name, table in tables_of(Settings).items():
        lines = _required_lines(table)
        if lines and not may_be_absent(name):
            parts.append("\n".join([f"[{name}]", *lines]))
    return "\n\n".join(parts)


def _required_lines(table: type) -> list[str]:
    return [
        f"{field.name} = {about_of(field).example}"
        for field in dataclasses.fields(table)
        if is_required(field)
    ]


def _section(name: str, table: type) -> Iterator[str]:
    optional = " (may be left out)" if is_optional(Settings, name) else ""
    many = " (any number of them)" if is_list(Settings, name) else ""
    yield f"## {header_of(name)}{optional}{many}\n"
    yield f"{_unindented(table.__doc__ or '')}\n"
    yield "| Key | Must be | Default | What it does |"
    yield "|---|---|---|---|"
    hints = get_type_hints(table)
    for field in dataclasses.fields(table):
        yield _row(field, hints[field.name])
    yield ""


def _row(field: dataclasses.Field[Any], hint: Any) -> str:
    said = about_of(field)
    secret = " *secret*" if said.secret_file else ""
    cells = (
        f"`{field.name}`",
        expectation(kind_of(hint), said) + secret,
        _default(field),
        said.doc,
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _default(field: dataclasses.Field[Any]) -> str:
    if is_required(field):
        return "**required**"
    return "none" if field.default is None else f"`{toml_value(field.default)}`"


def _unindented(docstring: str) -> str:
    return "\n".join(line.strip() for line in docstring.strip().splitlines())


if __name__ == "__main__":
    sys.stdout.write(reference())
