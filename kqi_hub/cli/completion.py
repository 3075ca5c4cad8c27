"""Shell completion."""

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print what makes SHELL complete kqi's commands.

    For bash: kqi completion bash > ~/.local/share/bash-completion/completions/kqi
    """
    kind = get_completion_class(shell)
    if kind is None:
        raise click.ClickException(f"click knows no completion for {shell}.")
    root = context.find_root().command
    click.echo(kind(root, {}, "kqi", "_KQI_COMPLETE").source())
