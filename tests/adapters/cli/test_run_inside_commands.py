"""`kqi training shell`, `ports` and `tensorboard`; the agent's answers are made up.

The agent's side of it is tried in tests/adapters/agent.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kqi_hub.sdk.client import Client
from kqi_hub.sdk.notebooks import Way
from tests.adapters.cli.conftest import Run
from tests.fakes.runs import DONE, PREPARED, RUNNING, WAITING
from tests.fakes.site import FakeSite


@dataclass
class Agent:
    """Say one state after the other, and remember what was asked."""

    states: list[str] = field(default_factory=lambda: ["none"])
    asked: list[tuple[str, str, Any]] = field(default_factory=list)

    def __call__(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        self.asked.append((method, path, body))
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return {"state": state, "path": "tensorboard/training-2/", "said": "why"}


@pytest.fixture(autouse=True)
def furnished(site: FakeSite) -> None:
    site.runs.furnish("mia")
    store = site.runs.store
    known = store.runs[RUNNING]
    store.runs[RUNNING] = replace(known, spec=replace(known.spec, ports=(8080, 8888)))


@pytest.fixture
def agent(monkeypatch: pytest.MonkeyPatch) -> Agent:
    made = Agent()
    way = Way("/user/mia/agent/", 600, "a-token")
    monkeypatch.setattr(Client, "_agent_json", lambda _, *asked: made(*asked))
    monkeypatch.setattr(Client, "_known_way", lambda _: way)
    clock = SimpleNamespace(sleep=lambda _: None, monotonic=lambda: 0.0)
    monkeypatch.setattr("kqi_hub.sdk.run_inside.time", clock)
    return made


def test_a_tensorboard_is_started_waited_for_and_stopped(
    run: Run, agent: Agent, site: FakeSite
) -> None:
    agent.states = ["asked", "waiting", "starting", "running"]
    done = run("training", "tensorboard", "2", "--hours", "5", "--with", "1",
               "--with", "inference/6")  # fmt: skip
    assert done.out == f"{site.origin}/user/mia/agent/tensorboard/training-2/\n"
    assert "TensorBoard of training 2: asked" in done.err
    assert agent.asked[0] == (
        "POST",
        "runs/training/2/tensorboard",
        {
            "hours": 5,
            "with": ["training/1", "inference/6"],
            "queue": "cpu",
            "tenant": "vision",
        },
    )
    assert {one[0] for one in agent.asked[1:]} == {"GET"}
    assert run("training", "tensorboard-halt", "2").code == 0
    assert agent.asked[-1][0] == "DELETE"
    assert "a-token" not in done.out + done.err


def test_an_inference_has_no_tensorboard_to_start(run: Run, agent: Agent) -> None:
    done = run("inference", "tensorboard", "6")
    assert (done.code, "No such command 'tensorboard'" in done.err) == (2, True)
    assert agent.asked == []


def test_a_tensorboard_that_fails_says_why(run: Run, agent: Agent) -> None:
    agent.states = ["asked", "failed"]
    done = run("training", "tensorboard", "2")
    assert (done.code, "is failed. why" in done.err) == (1, True)


@pytest.mark.parametrize(
    "words", [("--hours", "25"), ("--hours", "0"), ("--with", "../1"), ("--with", "x")]
)
def test_what_is_typed_wrong_is_told(
    run: Run, agent: Agent, words: tuple[str, ...]
) -> None:
    assert run("training", "tensorboard", "2", *words).code == 2
    assert agent.asked == []


def test_ports_are_addresses_without_secrets(
    run: Run, agent: Agent, site: FakeSite
) -> None:
    found = run("training", "ports", "2", "--json").json
    begin = f"{site.origin}/user/mia/agent/proxy/105"
    assert found == {"8080": f"{begin}/8080/", "8888": f"{begin}/8888/"}
    assert "no port" in run("training", "ports", str(DONE)).err


def test_ports_of_what_has_no_job_are_forbidden_by_its_state(
    run: Run, agent: Agent, site: FakeSite
) -> None:
    store = site.runs.store
    known = store.runs[PREPARED]
    store.runs[PREPARED] = replace(known, spec=replace(known.spec, ports=(8080,)))
    refused = run("training", "ports", str(PREPARED))
    assert (refused.code, "has no job: it is prepared" in refused.err) == (5, True)


def test_a_shell_is_sruns_own(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    srun = tmp_path / "bin" / "srun"
    srun.parent.mkdir()
    srun.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/words\nexit 7\n')
    srun.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "no srun" in run("training", "shell", "2").err
    monkeypatch.setenv("PATH", f"{srun.parent}:/usr/bin:/bin")
    assert run("training", "shell", "2").code == 7
    words = (tmp_path / "words").read_text()
    assert words == "--overlap --jobid=105 --pty bash\n"


@pytest.mark.parametrize(
    ("number", "state"), [(WAITING, "pending"), (DONE, "completed")]
)
def test_a_shell_of_what_does_not_run_is_forbidden_by_its_state(
    run: Run, number: int, state: str
) -> None:
    refused = run("training", "shell", str(number))
    assert (refused.code, f"does not run: it is {state}" in refused.err) == (5, True)


def test_what_is_inside_others_runs_is_theirs(
    run: Run, agent: Agent, site: FakeSite
) -> None:
    site.runs.furnish("max")
    for words in (("shell",), ("ports",), ("tensorboard",), ("tensorboard-halt",)):
        assert run("training", *words, "2").code == 3
    assert agent.asked == []
