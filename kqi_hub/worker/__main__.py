"""Run the worker: `python -m kqi_hub.worker [--config FILE]`."""

import asyncio
import sys
import time
from functools import partial
from pathlib import Path

import click

from kqi_hub.bootstrap.budgets import open_budgets, open_limits
from kqi_hub.bootstrap.closing import open_closing
from kqi_hub.bootstrap.cluster import open_cluster, poll_rules, worker_lock
from kqi_hub.bootstrap.data import open_data_keeper
from kqi_hub.bootstrap.database import (
    check_writable,
    open_association_store,
    open_database,
    open_session_store,
    open_snapshot_store,
)
from kqi_hub.bootstrap.datasets import open_tree_keeper
from kqi_hub.bootstrap.intake import (
    expect_many_rows,
    open_first_card,
    open_intake,
    open_shape_watch,
)
from kqi_hub.bootstrap.own_jobs import open_job_history
from kqi_hub.bootstrap.rates import open_pricing, open_rates
from kqi_hub.bootstrap.reconciling import open_reconciler
from kqi_hub.bootstrap.runs import open_run_keeper
from kqi_hub.domain.errors import KqiError
from kqi_hub.services.session_settling import SessionSettler
from kqi_hub.services.stray_jobs import stray_jobs
from kqi_hub.settings.loader import load_settings
from kqi_hub.settings.model import Settings
from kqi_hub.worker.accounting import AccountingRounds
from kqi_hub.worker.accounts import Accounts
from kqi_hub.worker.budgets import BudgetRounds
from kqi_hub.worker.closing import CloseRounds
from kqi_hub.worker.data import DataRounds
from kqi_hub.worker.history import HistoryRounds
from kqi_hub.worker.journal import Journal, write_to
from kqi_hub.worker.notebooks import NotebookSessions
from kqi_hub.worker.poller import Poller
from kqi_hub.worker.process import run_until_stopped, serve
from kqi_hub.worker.rates import RateRounds
from kqi_hub.worker.runs import RunRounds, tell_end
from kqi_hub.worker.trees import TreeRounds


@click.command()
@click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Settings file, defaults to $KQI_CONFIG, else /etc/kqi/kqi.toml.",
)
def main(config_path: Path | None) -> None:
    """Keep the stored picture of the cluster young, until SIGTERM."""
    write_to(sys.stderr)
    expect_many_rows()
    try:
        settings = load_settings(config_path)
        run_until_stopped(_serve(settings))
    except KqiError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(error.exit_code)


async def _serve(settings: Settings) -> None:
    journal = Journal()
    reader = open_cluster(settings)
    store = open_snapshot_store(settings)
    poller = Poller(reader, store, poll_rules(settings), journal)
    accounts = Accounts(reader, open_association_store(settings), journal)
    known = open_session_store(settings)
    sessions = NotebookSessions(
        SessionSettler(known, store, reader, time.time),
        store,
        journal,
        find_strays=partial(stray_jobs, known, store),
    )

    data = DataRounds(open_data_keeper(settings), journal)
    trees = TreeRounds(open_tree_keeper(settings), journal)
    history = HistoryRounds(open_job_history(settings, reader), journal)
    runs = RunRounds(open_run_keeper(settings, tell_end), store, journal)
    rates = _rate_rounds(settings, journal)
    book = AccountingRounds(
        open_intake(settings),
        open_shape_watch(settings),
        open_first_card(settings),
        journal,
    )
    closing = CloseRounds(open_closing(settings).work, journal)
    money = _budget_rounds(settings, journal)

    async def run() -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(poller.run())
            tasks.create_task(accounts.run())
            tasks.create_task(sessions.run())
            tasks.create_task(data.run())
            tasks.create_task(trees.run())
            tasks.create_task(history.run())
            tasks.create_task(runs.run())
            tasks.create_task(rates.run())
            tasks.create_task(book.run())
            tasks.create_task(closing.run())
            tasks.create_task(money.run())

    await serve(worker_lock(settings), lambda: check_writable(settings), run, journal)


def _budget_rounds(settings: Settings, journal: Journal) -> BudgetRounds:
    budgets = open_budgets(settings, open_database(settings))
    by_worker = settings.billing.slurm_limits == "worker"
    limits = open_limits(settings, budgets) if by_worker else None
    return BudgetRounds(budgets, limits, open_reconciler(settings), journal)


def _rate_rounds(settings: Settings, journal: Journal) -> RateRounds:
    engine = open_database(settings)
    _, watch = open_pricing(settings, engine)
    return RateRounds(watch.renew, open_rates(settings, engine).settle, journal)


if __name__ == "__main__":
    main(prog_name="python -m kqi_hub.worker")
