"""Budgets and quotas that bind a bare sbatch; the book beside Slurm's accounting."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.slurm_jobs import (
    sacct,
    sbatch,
    scancel,
    squeue,
    wait_for_end,
    wait_for_state,
)
from tests.cluster.slurm_lab import only_inside
from tests.cluster.stack import Stack, run_as, wait_until

pytestmark = only_inside

SETTINGS = Path("/etc/kqi/kqi.toml")
CHARGED = ("-A", "nlp", "-p", "cpu", "-c2", "--mem=100", "-t2")
FREE = ("-A", "nlp", "-p", "jupyter", "-c1", "-t2")


def hub(*words: str, ends: int = 0) -> str:
    """Run kqi-hub as operators do and return what it says."""
    ran = run_as("root", "kqi-hub", *words)
    assert ran.returncode == ends, f"{ran.stdout}\n{ran.stderr}"
    return ran.stdout + ran.stderr


def accounting(*words: str) -> str:
    ran = run_as("root", "sacctmgr", "--immediate", *words)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def limits() -> str:
    """Return GrpTRES and GrpTRESMins of nlp."""
    asked = ("-n", "-P", "show", "assoc", "account=nlp", "user=")
    return accounting(*asked, "format=GrpTRES,GrpTRESMins").strip()


@pytest.fixture
def operator() -> Iterator[None]:
    """Let the service user write limits; everything is as before at the end."""
    before = limits()
    accounting("add", "user", "kqi", "account=root", "adminlevel=Operator")
    yield
    hub("limits", "budget", "nlp", "none")
    hub("limits", "quota", "nlp")
    at_once = "cpu=-1,mem=-1,gres/gpu=-1"
    accounting("modify", "account", "nlp", "set", f"GrpTRES={at_once}")
    accounting("modify", "account", "nlp", "set", "GrpTRESMins=billing=-1")
    if at_once := before.partition("|")[0]:
        accounting("modify", "account", "nlp", "set", f"GrpTRES={at_once}")
    accounting("delete", "user", "kqi")


@pytest.fixture
def worker_writes(stack: Stack, operator: None) -> Iterator[None]:
    """Leave the writing of limits to the worker, from its next start on."""
    before = SETTINGS.read_text()
    table = '[billing]\nslurm_limits = "worker"\n'
    assert before.count("[billing]\n") == 1
    SETTINGS.write_text(before.replace("[billing]\n", table))
    yield
    SETTINGS.write_text(before)
    stack.restart("worker")
    stack.wait_ready("worker")


@pytest.fixture
def priced() -> None:
    """Wait for the first card of rates, which the worker makes of the settings."""
    wait_until(lambda: "cpu" in hub("rates", "show"), 60)


def test_an_empty_budget_holds_a_bare_sbatch_and_leaves_free_queues_open(
    operator: None, priced: None
) -> None:
    hub("limits", "budget", "nlp", "0")
    hub("limits", "apply")
    assert limits().endswith("billing=0")
    held = sbatch("bob", *CHARGED, wrap="sleep 1")
    free = sbatch("bob", *FREE, wrap="sleep 1")
    wait_until(lambda: squeue(held, "%r") == "AssocGrpBillingMinutes", 30)
    assert wait_for_end(free) == "COMPLETED"
    hub("limits", "budget", "nlp", "100000")
    hub("limits", "apply")
    assert wait_for_end(held) == "COMPLETED"


def test_limits_of_others_are_kept_until_they_are_taken_over(
    operator: None, priced: None
) -> None:
    accounting("modify", "account", "nlp", "set", "GrpTRES=cpu=77,gres/gpu=3")
    hub("limits", "quota", "nlp", "--cpus", "50")
    assert "of somebody else" in hub("limits", "diff")
    hub("limits", "apply")
    assert limits() == "cpu=77,gres/gpu=3|"
    hub("limits", "apply", "--take-over", "nlp")
    assert limits() == "cpu=50|"
    again = json.loads(run_as("root", "kqi-hub", "limits", "diff", "--json").stdout)
    mine = [one for one in again["limits"] if one["account"] == "nlp"]
    assert {one["standing"] for one in mine} == {"same"}


def test_a_quota_binds_a_bare_sbatch(operator: None) -> None:
    hub("limits", "quota", "nlp", "--cpus", "2")
    hub("limits", "apply", "--take-over", "nlp")
    one = sbatch("bob", *CHARGED, wrap="sleep 60")
    wait_for_state(one, "RUNNING")
    two = sbatch("bob", *CHARGED, wrap="sleep 1")
    wait_until(lambda: squeue(two, "%r") == "AssocGrpCpuLimit", 30)
    scancel(one)
    assert wait_for_end(two) == "COMPLETED"


def test_the_worker_writes_by_itself_what_binds_a_bare_sbatch(
    stack: Stack, worker_writes: None, priced: None
) -> None:
    nobodys = "cpu=-1,mem=-1,gres/gpu=-1"
    accounting("modify", "account", "nlp", "set", f"GrpTRES={nobodys}")
    hub("limits", "quota", "nlp", "--cpus", "2")
    # It looks every 15 minutes, and when it starts.
    stack.restart("worker")
    wait_until(lambda: limits() == "cpu=2|", 60, limits)
    one = sbatch("bob", *CHARGED, wrap="sleep 90")
    wait_for_state(one, "RUNNING")
    two = sbatch("bob", *CHARGED, wrap="sleep 1")
    wait_until(lambda: squeue(two, "%r") == "AssocGrpCpuLimit", 30)
    hub("limits", "budget", "nlp", "0")
    stack.restart("worker")
    wait_until(lambda: limits() == "cpu=2|billing=0", 60, limits)
    scancel(one)
    wait_until(lambda: squeue(two, "%r") == "AssocGrpBillingMinutes", 30)
    hub("limits", "budget", "nlp", "none")
    hub("limits", "quota", "nlp")
    stack.restart("worker")
    wait_until(lambda: limits() == "|", 60, limits)
    assert wait_for_end(two) == "COMPLETED"


def test_without_the_right_it_says_who_can_do_it() -> None:
    hub("limits", "quota", "nlp", "--cpus", "79")
    said = hub("limits", "apply", "--take-over", "nlp", ends=12)
    assert "AdminLevel=Operator" in said
    commands = hub("limits", "diff", "--take-over", "nlp", "--commands")
    assert commands.startswith("sacctmgr --immediate modify account where name=nlp")
    hub("limits", "quota", "nlp")


def test_the_book_and_slurm_differ_by_nothing_without_a_cause() -> None:
    done = sbatch("bob", *CHARGED, wrap="sleep 3")
    suspended = sbatch("bob", *CHARGED, wrap="sleep 12")
    wait_for_state(suspended, "RUNNING")
    for word in ("suspend", "resume"):
        ran = run_as("root", "scontrol", word, str(suspended))
        assert ran.returncode == 0, ran.stderr
    wait_for_end(done)
    wait_for_end(suspended)
    running = sbatch("bob", *CHARGED, wrap="sleep 100")
    wait_for_state(running, "RUNNING")
    wait_until(lambda: sacct(running, "state") == "RUNNING", 20)
    # Accounting's own seconds: what begins within this one is not compared.
    found: dict[str, Any] = json.loads(hub("reconcile", "--now", "--json"))
    scancel(running)
    causes = {one["cause"] for one in found["causes"]}
    assert "running" in causes
    assert causes <= {"running", "late", "suspended"}
    assert not any(found["unexplained"].values())
    assert any(one["account"] == "nlp" for one in found["accounts"])
