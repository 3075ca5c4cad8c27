"""Marks by place: what `./test FAST` leaves out, and what has to run by itself."""

import gc
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Final

import pytest
from hypothesis import settings

from kqi_hub.devstack import environments
from kqi_hub.devstack.environments import Environments

_HERE: Final = Path(__file__).parent
# They start real servers and processes and wait for them: a busy machine upsets them.
_ALONE: Final = (
    "adapters/auth",
    "adapters/conda_site/test_end_to_end.py",
    "adapters/runas",
    "adapters/session",
    "adapters/worker",
    "browser",
    "cluster",
    "demo",
)
# They are many, or write to disks a lot.
_SLOW: Final = (
    "adapters/agent",
    "adapters/benchmarks",
    "adapters/cli/test_data_commands.py",
    "adapters/cli/test_dataset_commands.py",
    "adapters/cli/test_job_commands.py",
    "adapters/cli/test_outside_commands.py",
    "adapters/cli/test_preprocessing_commands.py",
    "adapters/cli/test_run_commands.py",
    "adapters/cli/test_run_inside_commands.py",
    "adapters/cli/test_training_walkthrough.py",
    "adapters/conda_bootstrap/test_refusals.py",
    "adapters/conda_bootstrap/test_task.py",
    "adapters/conda_site",
    "adapters/db/test_account_stores.py",
    "adapters/db/test_data_crashes.py",
    "adapters/db/test_data_many.py",
    "adapters/db/test_data_stores.py",
    "adapters/db/test_dataset_stores.py",
    "adapters/db/test_ledger.py",
    "adapters/db/test_ledger_histories.py",
    "adapters/db/test_login_stores.py",
    "adapters/db/test_notebook_stores.py",
    "adapters/db/test_run_deaths.py",
    "adapters/db/test_run_lists.py",
    "adapters/db/test_run_stores.py",
    "adapters/db/test_schema.py",
    "adapters/db/test_snapshot_store.py",
    "adapters/db/test_usage_stores.py",
    "adapters/handlers/test_account_api.py",
    "adapters/handlers/test_account_pages.py",
    "adapters/handlers/test_contract.py",
    "adapters/handlers/test_data_api.py",
    "adapters/handlers/test_data_pages.py",
    "adapters/handlers/test_login.py",
    "adapters/handlers/test_logout.py",
    "adapters/handlers/test_notebook_commands.py",
    "adapters/handlers/test_notebooks_api.py",
    "adapters/handlers/test_pages.py",
    "adapters/handlers/test_process.py",
    "adapters/handlers/test_roles.py",
    "adapters/handlers/test_terms.py",
    "adapters/handlers/test_what_ran.py",
    "adapters/operator",
    "adapters/runner",
    "adapters/sdk/test_real_store.py",
    "adapters/slurm/test_usage_reader.py",
    "adapters/storage",
    "adapters/store",
    "unit/services/test_large_cluster.py",
)
_LONG_ID: Final = 60
# An example takes as long as a busy machine makes it: that is no fault of the code.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


def pytest_configure(config: pytest.Config) -> None:
    """Make the marks known; let nothing be looked for that could be thrown away."""
    # While tests are collected everything stays: looking took two fifths of the time.
    gc.disable()
    config.addinivalue_line("markers", "slow: left out by ./test FAST")
    config.addinivalue_line("markers", "alone: not beside other tests; slow as well")


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name long values by a number: some are made anew each time, in each process."""
    return "long" if isinstance(val, str | bytes) and len(val) > _LONG_ID else None


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not even read the files of which every test is left out."""
    left_out = {"not slow": (*_ALONE, *_SLOW), "not alone": _ALONE}
    places = left_out.get(config.option.markexpr, ())
    return True if _is_in(collection_path, places) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by their place, and those that start a PostgreSQL."""
    several = [
        name
        for name, times in Counter(item.nodeid for item in items).items()
        if times > 1
    ]
    if several:
        # Of tests with one id, only one runs where two processes share them.
        raise pytest.UsageError(f"These tests have one id: {several[:5]}")
    for item in items:
        alone = _is_in(item.path, _ALONE) or _starts_postgresql(item)
        if alone:
            item.add_marker(pytest.mark.alone)
        if alone or _is_in(item.path, _SLOW):
            item.add_marker(pytest.mark.slow)


def pytest_collection_finish() -> None:
    """Spare the garbage collector thousands of tests: they all stay to the end."""
    gc.freeze()
    gc.enable()


def _starts_postgresql(item: pytest.Item) -> bool:
    # It asks for one by itself, or for one kind of database after the other.
    asked_for: list[str] = getattr(item, "fixturenames", [])
    return "postgresql_server" in asked_for or "postgresql" in item.nodeid


@cache
def _is_in(file: Path, places: tuple[str, ...]) -> bool:
    wanted = {_HERE / place for place in places}
    return file in wanted or bool(wanted & set(file.parents))


@pytest.fixture(scope="session")
def real_site() -> Environments:
    """Give a real conda channel and site folder with `notebook` and `minimal`.

    The demo's own, made first where missing, which takes a minute. Read only: all
    tests share it. Tests that use it are slow ones.
    """
    return environments.prepared()
