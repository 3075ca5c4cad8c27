"""The `kqi` command: the portal from a terminal."""

import sys
from typing import NoReturn

import click

from kqi_hub import __version__
from kqi_hub.cli.bills import bill
from kqi_hub.cli.budgets import budget
from kqi_hub.cli.completion import completion
from kqi_hub.cli.credentials import credential
from kqi_hub.cli.data import data
from kqi_hub.cli.datasets import dataset
from kqi_hub.cli.environments import environment
from kqi_hub.cli.factor import factor
from kqi_hub.cli.files import files
from kqi_hub.cli.git import git
from kqi_hub.cli.images import image
from kqi_hub.cli.jobs import job
from kqi_hub.cli.keys import key
from kqi_hub.cli.lineage import lineage, storage
from kqi_hub.cli.notebooks import notebook
from kqi_hub.cli.password import password
from kqi_hub.cli.preprocessings import preprocessing
from kqi_hub.cli.prices import price
from kqi_hub.cli.profile import profile
from kqi_hub.cli.queues import queue
from kqi_hub.cli.runs import inference, script, training
from kqi_hub.cli.session import login, logout, whoami
from kqi_hub.cli.tenants import tenant
from kqi_hub.cli.tensorboard import tensorboard
from kqi_hub.cli.terms import terms
from kqi_hub.cli.tokens import token
from kqi_hub.cli.usage import usage
from kqi_hub.sdk.errors import PortalError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="kqi")
def kqi() -> None:
    """Use your cluster's portal from a terminal."""


_COMMANDS = (
    login,
    logout,
    whoami,
    profile,
    tenant,
    queue,
    price,
    password,
    factor,
    key,
    credential,
    token,
    data,
    dataset,
    lineage,
    storage,
    files,
    notebook,
    preprocessing,
    training,
    inference,
    script,
    job,
    usage,
    budget,
    bill,
    git,
    image,
    environment,
    tensorboard,
    terms,
    completion,
)
for command in _COMMANDS:
    kqi.add_command(command)


def main() -> NoReturn:
    """Run the command; each kind of error has its exit code."""
    try:
        # A command that ended itself (Ctrl-C while it followed something) says how.
        code = kqi.main(standalone_mode=False)
    except PortalError as error:
        _fail(error.message, error.hint, error.exit_code)
    except click.exceptions.Abort:
        _fail("Cancelled.", "", 130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    sys.exit(code if isinstance(code, int) else 0)


def _fail(message: str, hint: str, exit_code: int) -> NoReturn:
    click.echo(f"kqi: {message}", err=True)
    if hint:
        click.echo(f"     {hint}", err=True)
    sys.exit(exit_code)


if __name__ == "__main__":
    main()
