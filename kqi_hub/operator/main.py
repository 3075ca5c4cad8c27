"""The kqi-hub command: every group of commands is joined here."""

from pathlib import Path

import click

from kqi_hub import __version__
from kqi_hub.operator.audit import audit
from kqi_hub.operator.close import close
from kqi_hub.operator.config import config
from kqi_hub.operator.data import data
from kqi_hub.operator.db import db
from kqi_hub.operator.doctor import doctor
from kqi_hub.operator.invocation import ErrorTreeGroup, Invocation
from kqi_hub.operator.jobs import jobs
from kqi_hub.operator.keys import keys
from kqi_hub.operator.ledger import ledger
from kqi_hub.operator.limits import limits
from kqi_hub.operator.nodes import nodes
from kqi_hub.operator.person import person
from kqi_hub.operator.rates import rates
from kqi_hub.operator.reconcile import reconcile
from kqi_hub.operator.refresh import refresh
from kqi_hub.operator.repair import repair
from kqi_hub.operator.store import store
from kqi_hub.operator.worker import worker


@click.group(
    cls=ErrorTreeGroup, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Settings file, defaults to $KQI_CONFIG, else /etc/kqi/kqi.toml.",
)
@click.option("--debug", is_flag=True, help="Show a traceback with an error.")
@click.version_option(__version__, prog_name="kqi-hub")
@click.pass_context
def cli(ctx: click.Context, config_path: Path | None, debug: bool) -> None:
    """Run and look after a KQI Hub site.

    Run it as the service user. The exit code is 0 when all is well; an error's own
    code otherwise, listed at the end of docs/operators/commands.md.
    """
    # click needs every option named here; `debug` is read by ErrorTreeGroup.
    del debug
    ctx.obj = Invocation(config_path)


for command in (
    audit,
    close,
    config,
    data,
    db,
    doctor,
    jobs,
    keys,
    ledger,
    limits,
    nodes,
    person,
    reconcile,
    rates,
    refresh,
    repair,
    store,
    worker,
):
    cli.add_command(command)


def main() -> None:
    """Run the command line."""
    cli(prog_name="kqi-hub")


if __name__ == "__main__":
    main()
