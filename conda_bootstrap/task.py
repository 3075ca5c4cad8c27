"""Carry out the order of a task folder, once."""

import contextlib
import sys
from pathlib import Path

from conda_bootstrap.bars import Bars
from conda_bootstrap.errors import BootstrapError, WrongUse, of_system
from conda_bootstrap.json_files import read_object
from conda_bootstrap.locks import held_file
from conda_bootstrap.operations import Setting, carry_out, finish
from conda_bootstrap.order import from_json
from conda_bootstrap.reporting import Report
from conda_bootstrap.task_files import ENDED, StateFile, cancelled, read_state


def run_task(folder: Path, setting: Setting) -> int:
    """Run a task that has not ended; return the exit code.

    A job may be submitted twice when the first answer got lost, so the second one
    finds the lock or the end of the first and goes.
    """
    if not folder.is_dir():
        raise WrongUse("task", f"There is no task in {folder}.")
    with held_file(folder / "lock") as is_free:
        if not is_free:
            sys.stdout.write("This task is running already.\n")
            return 0
        if (state := read_state(folder)["state"]) in ENDED:
            sys.stdout.write(f"This task has ended already: {state}.\n")
            return 0
        return _run(folder, setting)


def _run(folder: Path, setting: Setting) -> int:
    told = read_object(folder / "order.json")
    facts = {key: told.get(key) for key in ("operation", "name")}
    state = StateFile(folder, facts | {"id": folder.name})
    state.write()
    report = Report(Bars(sys.stdout), state)
    try:
        result = carry_out(from_json(told), setting, report)
    except BootstrapError as error:
        report.failed(error)
        return error.exit_code
    except OSError as error:
        report.failed(of_system(error))
        return 1
    except KeyboardInterrupt:
        report.failed(cancelled())
        return 1
    except BaseException as error:
        unexpected = BootstrapError(
            "unexpected",
            f"Something went wrong that nobody expected: {type(error).__name__}: "
            f"{error}",
            "Tell the operators of this site, with the log of this task.",
        )
        report.failed(unexpected)
        raise
    # It has ended for everybody who looks; a job that is stopped now stays done.
    with contextlib.suppress(KeyboardInterrupt):
        finish(result, setting)
    return 0
