"""kqi in a running job, without a login: on a real Slurm and hub."""

import httpx2
import pytest

from tests.cluster.run_lab import RunsOfPerson, runs_of
from tests.cluster.stack import Stack, wait_until

# What ended is noted at the next look, and the hub's record goes within a minute more.
LOOK_S = 40.0


@pytest.mark.parametrize("command", ["kqi whoami", "kqi training list"])
def test_kqi_works_in_a_run_without_a_login(stack: Stack, command: str) -> None:
    with runs_of(stack, "alice") as runs:
        run = runs.ask(f"HOME=/nonexistent {command} > $KQI_OUTPUT/value.txt")
        assert runs.ended(run)["state"] == "completed", runs.told(run)
        assert runs.now(run)["value"]


def test_a_job_makes_no_token_and_its_own_ends_with_it(stack: Stack) -> None:
    with runs_of(stack, "alice") as runs:
        run = runs.ask(
            "kqi token create x && exit 9; "
            'printf %s "$KQI_TOKEN" > $KQI_OUTPUT/value.txt'
        )
        assert runs.ended(run)["state"] == "completed", runs.told(run)
        word = runs.now(run)["value"]
        assert word
        wait_until(lambda: status_of(runs, word) in {401, 403}, LOOK_S)


def status_of(runs: RunsOfPerson, word: str) -> int:
    """Return what the portal answers who asks with a token."""
    url = f"{runs.client.base_url}whoami"
    headers = {"Authorization": f"token {word}"}
    return httpx2.get(url, headers=headers).status_code


def test_nothing_of_it_is_in_what_slurm_tells(stack: Stack) -> None:
    with runs_of(stack, "alice") as runs:
        # Compared by bash itself: a grep would find its own command line.
        run = runs.ask(
            "told=$(scontrol show job $SLURM_JOB_ID; ps -eo args; "
            'cat "$KQI_FOLDER"/*.json)\n'
            "[[ $told == *JobId=$SLURM_JOB_ID* && $told == *job_name* ]] || exit 8\n"
            '[[ $told == *"$KQI_TOKEN"* ]] && exit 9; exit 0'
        )
        assert runs.ended(run)["state"] == "completed", runs.told(run)
