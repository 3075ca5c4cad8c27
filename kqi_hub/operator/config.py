"""kqi-hub config: check and show the settings."""

from collections.abc import Iterator

import click

from kqi_hub.domain.errors import SettingsError
from kqi_hub.operator.invocation import Invocation, pass_invocation, print_json
from kqi_hub.settings.model import Settings
from kqi_hub.settings.secrets import check_secret, secret_files
from kqi_hub.settings.toml import settings_data, settings_toml


@click.group()
def config() -> None:
    """Check and show the settings."""


@config.command()
@pass_invocation
def check(invocation: Invocation) -> None:
    """Check the settings file and the secret files it names.

    Every mistake is told at once. Run it as the service user: it opens the secret
    files as the services will.
    """
    problems = list(_secret_problems(invocation.settings))
    if problems:
        raise SettingsError(
            "\n".join(str(problem) for problem in problems),
            f"{invocation.source} itself is right.",
        )
    count = len(list(secret_files(invocation.settings)))
    click.echo(f"{invocation.source} is right; secret files readable: {count}.")


@config.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON, not TOML.")
@pass_invocation
def show(invocation: Invocation, as_json: bool) -> None:
    """Print the settings in force, defaults included, secrets left out."""
    settings = invocation.settings
    if as_json:
        data = {"source": str(invocation.source), "settings": settings_data(settings)}
        print_json(data)
    else:
        click.echo(f"# {invocation.source}, defaults included\n")
        click.echo(settings_toml(settings), nl=False)


def _secret_problems(settings: Settings) -> Iterator[str]:
    for secret in secret_files(settings):
        try:
            check_secret(secret)
        except SettingsError as error:
            yield f"{secret.key}: {error}"
