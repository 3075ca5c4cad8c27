"""Write docs/operators/commands.md: `python -m kqi_hub.operator.reference`."""

import sys
from collections.abc import Iterator

import click

from kqi_hub.domain import errors
from kqi_hub.operator.main import cli

_HEAD = """\
# The kqi-hub command

<!-- Written by `python -m kqi_hub.operator.reference > docs/operators/commands.md`
     from the commands themselves. Change the docstrings and options there. -->

Run it as the service user, for example `sudo -u kqi kqi-hub config check`.
"""
_CODES = """\
## Exit codes

0 means that all is well, 1 an error without a code of its own, 2 a command line that
is wrong. The others name the error, whose message and advice are on standard error:
"""
_WIDTH = 80


def reference() -> str:
    """Return the whole page: the help of every command, then the exit codes."""
    context = _context(cli, "kqi-hub", None)
    parts = [_HEAD, *_sections(cli, context), _CODES + "\n".join(_exit_codes()) + "\n"]
    return "\n".join(parts)


def _sections(command: click.Command, context: click.Context) -> Iterator[str]:
    yield f"## {context.command_path}\n\n```text\n{command.get_help(context)}\n```\n"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None and not below.hidden:
                yield from _sections(below, _context(below, name, context))


def _context(
    command: click.Command, name: str, parent: click.Context | None
) -> click.Context:
    return click.Context(
        command,
        info_name=name,
        parent=parent,
        terminal_width=_WIDTH,
        **({} if parent else command.context_settings),
    )


def _exit_codes() -> Iterator[str]:
    kinds = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.KqiError)
    ]
    yield "\n| Code | Error | Meaning |\n|---|---|---|"
    for kind in sorted(kinds, key=lambda kind: kind.exit_code):
        meaning = (kind.__doc__ or "").splitlines()[0]
        yield f"| {kind.exit_code} | {kind.code} | {meaning} |"


if __name__ == "__main__":
    sys.stdout.write(reference())
