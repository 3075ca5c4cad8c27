"""Submit jobs as people do, and wait for what becomes of them."""

from tests.cluster.stack import run_as, wait_until

_ENDED = {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "OUT_OF_MEMORY", "NODE_FAIL"}


def sbatch(user: str, *options: str, wrap: str = "true") -> int:
    """Submit as a person and return the job's number; it must be accepted."""
    ran = run_as(
        user, "sbatch", "--parsable", "--output=/dev/null", *options, f"--wrap={wrap}"
    )
    assert ran.returncode == 0, ran.stderr
    return int(ran.stdout.split(";")[0])


def refusal(user: str, *options: str) -> str:
    """Return why sbatch refuses a job; it must be refused."""
    ran = run_as(user, "sbatch", "--output=/dev/null", *options, "--wrap=true")
    assert ran.returncode != 0, ran.stdout
    return ran.stderr


def squeue(job: int, field: str) -> str:
    """Return one field of a job that the controller knows."""
    ran = run_as("root", "squeue", "-h", "-t", "all", "-j", str(job), "-o", field)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


def sacct(job: int, field: str) -> str:
    """Return one field of a job of the accounting, as it is stored."""
    ran = run_as("root", "sacct", "-X", "-n", "-P", "-j", str(job), "-o", field)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


def wait_for_state(job: int, *states: str) -> None:
    """Return when the controller says that a job is in one of the states."""
    wait_until(lambda: squeue(job, "%T") in states, 30, lambda: squeue(job, "%T %r"))


def wait_for_tres(job: int, tres: str) -> None:
    """Return when accounting has been told that a job was given this."""
    wait_until(lambda: tres in sacct(job, "alloctres").split(","), 15)


def wait_for_end(job: int) -> str:
    """Return the state that accounting has for an ended job; a line for each task."""
    wait_until(lambda: _states(job) <= _ENDED, 40, lambda: sacct(job, "jobid,state"))
    return sacct(job, "state")


def _states(job: int) -> set[str]:
    """Return the first words of its states: there may be `CANCELLED by 1001`."""
    return {line.partition(" ")[0] for line in sacct(job, "state").split("\n")}


def scancel(*jobs: int) -> None:
    """Cancel jobs as root."""
    ran = run_as("root", "scancel", *map(str, jobs))
    assert ran.returncode == 0, ran.stderr
