"""A notebook reads what a training has made, in the real cluster."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.cluster.browser import chromium
from tests.cluster.notebook_lab import wait_for
from tests.cluster.notebook_person import Person, person
from tests.cluster.stack import Stack


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def alice(stack: Stack, browser: Browser) -> Iterator[Person]:
    with person(stack, browser, "alice") as alice:
        yield alice


def completed(alice: Person) -> int:
    """Return a training that has left a file behind."""
    wanted = {
        "tenant": "vision",
        "name": "leaves-something",
        "queue": "cpu",
        "cpus": 1,
        "memory_mb": 512,
        "lifetime_s": 3600,
        "command": "echo forty-two > $KQI_OUTPUT/answer",
    }
    asked = alice.ask("POST", "training", wanted)
    assert asked.status_code in {201, 202}, asked.text
    number = int(asked.json()["id"])

    def state() -> str:
        found: str = alice.ask("GET", f"training/{number}").json()["state"]
        assert found not in {"failed", "refused"}, found
        return found

    wait_for(lambda: state() == "completed", 120, "it does not come to its end")
    return number


def test_results_of_a_training_lie_in_the_notebooks_folder(alice: Person) -> None:
    training = completed(alice)
    number = alice.running("vision", parents=[training])
    kernel = alice.kernel(number)
    read = f"print(open('parent-{training}/answer').read())"
    assert kernel.run(read) == "forty-two"
    told = "import os; print(open(os.environ['KQI_PARENT'] + '/answer').read())"
    assert kernel.run(told) == "forty-two"
    assert f"#{training}" in alice.look(number, "results-of-runs")
