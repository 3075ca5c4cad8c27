"""docs/operators/commands.md says what the commands say of themselves."""

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from kqi_hub.operator.main import cli
from kqi_hub.operator.reference import reference

PAGE = Path(__file__).parents[3] / "docs/operators/commands.md"


def every_command(
    command: click.Command, path: str = "kqi-hub"
) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            yield from every_command(below, f"{path} {name}")


COMMANDS = [pytest.param(*pair, id=pair[0]) for pair in every_command(cli)]


def test_the_commands_page_is_up_to_date() -> None:
    assert PAGE.read_text() == reference(), (
        "run: python -m kqi_hub.operator.reference > docs/operators/commands.md"
    )


@pytest.mark.parametrize(("path", "command"), COMMANDS)
def test_every_command_is_on_the_page(path: str, command: click.Command) -> None:
    assert f"\n## {path}\n" in reference()


@pytest.mark.parametrize(("path", "command"), COMMANDS)
def test_every_command_and_option_has_a_help_text(
    path: str, command: click.Command
) -> None:
    assert (command.help or "").strip()
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{path} {parameter.opts}"
