"""Log and files of a run by `kqi training`, against a real agent."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from kqi_hub.cli.main import kqi
from kqi_hub.sdk.client import Client
from kqi_hub.sdk.errors import PortalError
from kqi_hub.sdk.run_models import Training
from tests.adapters.agent.agent_process import AgentProcess, HubThread

RUN = Training(
    12, "alice", "vision", "first", "running",
    is_live=True, is_own=True, job_id=105, slurm_id="105", folder="kqi/training/12",
)  # fmt: skip
Run = Callable[..., Result]


@pytest.fixture(scope="module")
def hub() -> Iterator[HubThread]:
    made = HubThread()
    yield made
    made.close()


@pytest.fixture
def agent(tmp_path: Path, hub: HubThread) -> Iterator[AgentProcess]:
    folder = tmp_path / "alice"
    output = folder / "kqi/training/12/output/checkpoints"
    output.mkdir(parents=True)
    (output / "1.bin").write_bytes(b"x" * 1000)
    (output.parent / "value.txt").write_text("0.93\n")
    (folder / "kqi/training/12/attach").mkdir()
    (folder / "log").mkdir()
    made = AgentProcess(folder, hub)
    made.start()
    yield made
    made.kill()


@pytest.fixture
def runs() -> list[Training]:
    """Return what the portal says of run 12, one after the other, the last for ever."""
    return [RUN]


@pytest.fixture
def run(
    agent: AgentProcess,
    runs: list[Training],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Run:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr(Client, "from_config", lambda: agent.client())

    def known(_: Client, kind: object, run_id: int) -> Training:
        assert (kind, run_id) == (Training, 12)
        return runs.pop(0) if len(runs) > 1 else runs[0]

    monkeypatch.setattr(Client, "run", known)

    def call(*words: str, typed: str = "") -> Result:
        return CliRunner().invoke(kqi, ["training", *words], input=typed)

    return call


def code(result: Result) -> int:
    """Return what the shell would get."""
    error = result.exception
    if isinstance(error, PortalError | click.ClickException):
        return error.exit_code
    return result.exit_code


def test_output_is_listed_and_fetched_while_it_runs(run: Run) -> None:
    listed = run("list-files", "12", "--json")
    found = json.loads(listed.stdout)
    assert [one["name"] for one in found] == ["checkpoints", "value.txt"]
    assert "1.bin" in run("list-files", "12", "checkpoints").stdout
    done = run("download-files", "12", "-d", "all")
    assert done.exit_code == 0, done.exception
    assert Path("all/output/checkpoints/1.bin").read_bytes() == b"x" * 1000
    assert code(run("download-files", "12", "-d", "all")) == 5
    run("download-files", "12", "-d", "some", "-p", "value.txt", "-p", "checkpoints")
    assert Path("some/value.txt").read_text() == "0.93\n"
    assert Path("some/checkpoints/1.bin").exists()


@pytest.mark.parametrize("path", ["..", "../../13", "checkpoints/../..", "a/.."])
def test_no_path_leads_out_of_the_run(run: Run, path: str) -> None:
    assert code(run("list-files", "12", path)) == 2
    assert code(run("download-files", "12", "-d", "x", "-p", path)) == 2
    assert code(run("delete-file", "12", path, "--yes")) == 2


@pytest.mark.parametrize("path", ["nothing", "/etc", "é😀", "a\nb"])
def test_what_is_not_there_is_told(run: Run, path: str) -> None:
    assert code(run("download-files", "12", "-d", "x", "-p", path)) == 4


def test_attachments_come_and_go(run: Run, agent: AgentProcess) -> None:
    Path("notes.txt").write_text("seen")
    assert "Sent 1 file" in run("upload-files", "12", "-f", "notes.txt").stderr
    kept = agent.folder / "kqi/training/12/attach/notes.txt"
    assert kept.read_text() == "seen"
    assert code(run("upload-files", "12", "-f", "notes.txt")) == 5
    assert "notes.txt" in run("list-files", "12", "--of", "attach").stdout
    assert code(run("delete-file", "12", "notes.txt", typed="n\n")) == 1
    assert code(run("delete-file", "12", "notes.txt", "--yes")) == 0
    assert not kept.exists()
    assert code(run("delete-file", "12", "notes.txt", "--yes")) != 0


@pytest.mark.parametrize("name", ["training_output_12.zip", "./training_output_12.zip"])
def test_what_the_run_has_put_there_itself_stays(
    run: Run, agent: AgentProcess, runs: list[Training], name: str
) -> None:
    attach = agent.folder / "kqi/training/12/attach"
    for one in ("training_output_12.zip", "training_output_13.zip"):
        (attach / one).write_bytes(b"PK")
    refused = run("delete-file", "12", "training_output_13.zip", name, "--yes")
    assert (code(refused), "the run's own" in refused.output) == (2, True)
    assert len(list(attach.iterdir())) == 2
    # Of a script that was submitted once more, it has the number of the first.
    runs[0] = replace(RUN, folder="kqi/training/12.4711")
    assert code(run("delete-file", "12", "training_output_12.zip", "--yes")) == 2
    assert code(run("delete-file", "12", "training_output_13.zip", "--yes")) != 2


def test_use_over_time_is_shown_while_it_runs_and_summed_up_afterwards(
    run: Run, agent: AgentProcess, runs: list[Training]
) -> None:
    assert "nothing (yet)" in run("use", "12").stderr
    lines = [f"{1_795_000_000 + 5 * at}.5,{at}.25,{at},," for at in range(100)]
    head = "epoch,cpu_cores_used,memory_mb,gpu_percent,gpu_memory_mb"
    file = agent.folder / "kqi/training/12/use.csv"
    file.write_text("\n".join([head, *lines, "1795000900,1,2048,40,1024"]))
    shown = run("use", "12").stdout
    assert "1.00 2,048 40 1024" in " ".join(shown.split())
    assert len(shown.splitlines()) < 30 < len(run("use", "12", "--all").stdout)
    assert "99.25" in run("use", "12", "--all").stdout
    runs[0] = replace(RUN, use={"text": "1.2 of 8 CPU", "source": "cgroup v2"})
    assert "In all: 1.2 of 8 CPU." in run("use", "12").stdout
    found = json.loads(run("use", "12", "--json").stdout)
    assert found["use"]["source"] == "cgroup v2"
    assert len(found["samples"]) == 101
    assert found["samples"][0]["cpu_cores_used"] == 0.25


def test_use_of_others_is_theirs_to_read(run: Run, runs: list[Training]) -> None:
    runs[0] = replace(RUN, is_own=False, owner="bob")
    assert code(run("use", "12")) == 3


def test_a_long_log_comes_whole_and_its_end_alone(
    run: Run, agent: AgentProcess
) -> None:
    text = "".join(f"step {n} \x1b[32mé\x1b[0m\n" for n in range(60_000))
    (agent.folder / "log/105.log").write_text(text)
    assert run("logs", "12").stdout_bytes.decode() == text
    end = run("logs", "12", "--tail").stdout_bytes.decode()
    assert text.endswith(end)
    assert 0 < len(end) < len(text)


def test_a_log_is_followed_from_before_its_first_line_to_its_last(
    run: Run,
    agent: AgentProcess,
    runs: list[Training],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log = agent.folder / "log/105.log"
    waits = replace(RUN, state="pending", job_id=None, slurm_id="")
    ended = replace(RUN, state="completed", is_live=False)
    runs[:] = [waits, waits, RUN, RUN, RUN, ended]
    begun: list[float] = []

    def write() -> None:
        with log.open("a") as file:
            file.write(f"line {len(begun)}\n")
        begun.append(time.monotonic())

    monkeypatch.setattr("kqi_hub.sdk.job_logs._LOOK_EVERY_S", 0.05)
    monkeypatch.setattr("kqi_hub.sdk.job_logs._LAST_LOOK_S", 0.2)
    known = Client.run

    def run_and_write(self: Client, kind: type[Training], number: int) -> Training:
        found = known(self, kind, number)
        if found.slurm_id:
            write()
        return found

    monkeypatch.setattr(Client, "run", run_and_write)
    done = run("logs", "12", "-f")
    assert done.exit_code == 0, done.exception
    assert done.stdout == log.read_text()
    assert done.stdout.count("line") == 4
    assert "its log comes when it runs" in done.stderr


def test_a_log_that_is_not_there_yet_is_told(run: Run) -> None:
    done = run("logs", "12")
    assert (code(done), "has no log yet" in str(done.exception)) == (5, True)
