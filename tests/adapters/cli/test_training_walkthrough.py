"""docs/users/training-cli.md: each of its lines does what it says, its Python too.

What goes through the agent or srun is tried in test_run_inside_commands.py and in
tests/adapters/agent/test_run_files_cli.py.
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kqi_hub.domain.run_ports import Collected, NewRun, Told
from kqi_hub.domain.run_searches import RunSearch
from kqi_hub.domain.runs import Parent, RunKind, RunState
from tests.adapters.cli.conftest import Run
from tests.fakes.runs import SPEC
from tests.fakes.site import FakeSite

PAGE = Path(__file__).parents[3] / "docs/users/training-cli.md"
TEXT = PAGE.read_text()
THROUGH_AGENT = {
    "logs",
    "list-files",
    "download-files",
    "upload-files",
    "delete-file",
    "shell",
    "ports",
    "tensorboard",
    "tensorboard-halt",
    "use",
}
[PYTHON] = re.findall(r"^```python\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)


def lines() -> Iterator[str]:
    for block in re.findall(r"^```console\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE):
        for line in block.splitlines():
            yield line.removeprefix("$ kqi ").removesuffix(" | sbatch")


LINES = list(dict.fromkeys(lines()))


@pytest.fixture
def numbered(site: FakeSite) -> FakeSite:
    """Have what the page speaks of: runs 12 to 16, 13 an inference, and a search."""
    search = RunSearch("failed lately", "state=failed")
    site.searches.keep("mia", RunKind.TRAINING, search, 10.0)
    store = site.runs.store
    store.numbers = 11
    for number in range(12, 17):
        kind = RunKind.INFERENCE if number == 13 else RunKind.TRAINING
        spec = replace(SPEC, parents=(Parent(RunKind.TRAINING, 12),) * (number == 13))
        new = NewRun(kind, "mia", f"key{number}", spec, is_prepared=number == 14)
        asked = store.ask(new, 10.0)
        if number != 14:
            site.runs.end(asked, 80 + number)
    return site


def may_run(site: FakeSite) -> None:
    """Let 12 be one that runs, to be stopped."""
    known = site.runs.store.runs[12]
    site.runs.store.runs[12] = replace(known, state=RunState.RUNNING, ended_at=None)


@pytest.mark.parametrize("line", LINES)
def test_a_line_of_the_page_works(run: Run, numbered: FakeSite, line: str) -> None:
    words = shlex.split(line)
    if words[1] in THROUGH_AGENT:
        assert words[0] == "training"
        return
    Path("train.sh").write_text("set -e\npython train.py\n")
    if words[1] == "stop":
        may_run(numbered)
    if words[1] == "delete":
        words.append("--yes")
    done = run(*words)
    assert done.code == 0, done.err


def test_the_script_of_the_page_finds_the_number_and_waits(
    run: Run, site: FakeSite
) -> None:
    [script] = re.findall(r"^```sh\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
    create = re.search(r"\$\(kqi (.*?) \| jq \.id\)", script)
    assert create is not None
    Path("train.sh").write_text("python train.py\n")
    assert run(*shlex.split(create[1])).json["id"] == 1
    assert 'kqi training wait "$number"' in script


def test_the_python_of_the_page_runs(
    run: Run, site: FakeSite, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    store = site.runs.store
    ask = store.ask

    def ask_and_end(new: NewRun, now: float) -> object:
        made = ask(new, now)
        store.told(made.id, Told(RunState.RUNNING, now, job_id=105, began_at=now))
        end = Collected(RunState.COMPLETED, "0.9", 1, 10, 0)
        store.collected(made.id, end, now)
        return made

    piece = {"text": "epoch 1\n", "from": 0, "to": 8, "size": 8}
    monkeypatch.setattr(store, "ask", ask_and_end)
    monkeypatch.setattr("kqi_hub.sdk.client.Client._agent_json", lambda *_, **__: piece)
    exec(compile(PYTHON, str(PAGE), "exec"), {})  # noqa: S102  our own page
    told = capsys.readouterr().out
    assert told == "completed 0 0.9\nepoch 1\n1 first 0.9\n"
