"""What every command of kqi-hub is given, and how it ends when something is wrong."""

import json
import traceback
from functools import cached_property
from pathlib import Path
from typing import Any

import click

from kqi_hub.domain.errors import KqiError
from kqi_hub.settings.loader import load_settings, settings_path
from kqi_hub.settings.model import Settings


class Invocation:
    """One run of kqi-hub: which settings file, read when a command first asks."""

    def __init__(self, given: Path | None) -> None:
        self._given = given

    @property
    def source(self) -> Path:
        """Return the settings file's path."""
        return settings_path(self._given)

    @cached_property
    def settings(self) -> Settings:
        """Return the settings, or raise SettingsError naming every mistake."""
        return load_settings(self._given)


# What a command takes as its first argument: `@pass_invocation`.
pass_invocation = click.make_pass_decorator(Invocation)


class ErrorTreeGroup(click.Group):
    """A group whose commands end with the message, hint and exit code of a KqiError."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; with --debug the traceback comes first."""
        try:
            return super().invoke(ctx)
        except KqiError as error:
            if ctx.params.get("debug"):
                traceback.print_exception(error)
            click.echo(f"Error: {error.message}", err=True)
            if error.hint:
                click.echo(error.hint, err=True)
            ctx.exit(error.exit_code)


def print_json(data: object) -> None:
    """Print data for programs; ASCII only, so that any text survives any terminal."""
    click.echo(json.dumps(data, indent=2))
