"""`kqi files` against a real agent: what it prints, writes, asks and refuses."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from kqi_hub.cli.main import kqi
from kqi_hub.sdk.client import Client
from kqi_hub.sdk.errors import PortalError
from tests.adapters.agent.agent_process import AgentProcess, HubThread

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def hub() -> Iterator[HubThread]:
    made = HubThread()
    yield made
    made.close()


@pytest.fixture
def agent(tmp_path: Path, hub: HubThread) -> Iterator[AgentProcess]:
    folder = tmp_path / "alice"
    for name in ("kqi", "workspace"):
        (folder / name).mkdir(parents=True)
    made = AgentProcess(folder, hub)
    made.start()
    yield made
    made.kill()


@pytest.fixture
def run(agent: AgentProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr(Client, "from_config", lambda: agent.client())

    def call(*words: str, typed: str = "") -> Result:
        return CliRunner().invoke(kqi, ["files", *words], input=typed)

    return call


def code(result: Result) -> int:
    """Return what the shell would get."""
    error = result.exception
    if isinstance(error, PortalError | click.ClickException):
        return error.exit_code
    return result.exit_code


def test_a_folder_is_listed_and_names_cannot_command_the_terminal(
    run: Run, agent: AgentProcess
) -> None:
    place = agent.folder / "workspace"
    (place / "d").mkdir()
    (place / "a.txt").write_text("x" * 1234)
    (place / "\x1b[31mred").touch()
    (place / ".hidden").touch()
    (place / "link").symlink_to("a.txt")
    result = run("ls", "workspace")
    assert result.exit_code == 0, result.output
    assert "\x1b" not in result.output
    assert "d/" in result.output
    assert "1,234" in result.output
    assert "link@ -> a.txt" in result.output
    assert ".hidden" not in result.output
    found = json.loads(run("ls", "workspace", "--json", "-a", "--sort", "size").stdout)
    assert {one["name"] for one in found} == {
        "d", "a.txt", "\x1b[31mred", ".hidden", "link",
    }  # fmt: skip
    absolute = run("ls", str(place), "--count", "2")
    assert "more than 2" in absolute.stderr
    one = json.loads(run("ls", "workspace/a.txt", "--json").stdout)
    assert (one[0]["name"], one[0]["size"]) == ("a.txt", 1234)


def test_files_go_there_and_back(run: Run, agent: AgentProcess) -> None:
    Path("in/sub").mkdir(parents=True)
    Path("in/sub/a.bin").write_bytes(os.urandom(100_000))
    Path("in/b").write_bytes(b"b")
    sent = json.loads(run("put", "in", "workspace/new", "--json").stdout)
    assert sent == {
        "files": 2, "bytes": 100_001,
        "paths": ["workspace/new/in/b", "workspace/new/in/sub/a.bin"],
    }  # fmt: skip
    assert code(run("put", "in", "workspace/new")) == 5
    assert run("put", "in", "workspace/new", "--exists", "overwrite").exit_code == 0
    assert run("get", "workspace/new/in", "-d", "back").exit_code == 0
    a, b = Path("in/sub/a.bin"), Path("back/in/sub/a.bin")
    assert a.read_bytes() == b.read_bytes()
    assert code(run("get", "workspace/new/in", "-d", "back")) == 5
    assert run("get", "workspace/new/in/b", "--json").exit_code == 0
    assert Path("b").read_bytes() == b"b"
    assert run("get", "workspace/new", "--archive", "all.zip").exit_code == 0
    assert Path("all.zip").read_bytes()[:4] == b"PK\3\4"
    result = run("cat", "workspace/new/in/b")
    assert result.stdout_bytes == b"b"


def test_things_are_made_moved_counted_and_deleted(
    run: Run, agent: AgentProcess
) -> None:
    place = agent.folder / "workspace"
    assert run("mkdir", "-p", "workspace/a/b", "workspace/c").exit_code == 0
    for name in ("x", "y", "c/x"):
        (place / name).write_text(name)
    result = run("mv", "workspace/x", "workspace/y", "workspace/c")
    assert code(result) == 1
    assert "workspace/x: 'x' is there already" in result.stderr
    assert run("mv", "workspace/c/y", "workspace/z").exit_code == 0
    assert (place / "z").read_text() == "y"
    use = json.loads(run("du", "workspace", "--json").stdout)
    assert (use["files"], use["folders"]) == (3, 4)
    assert "3 files in 4 folders" in run("du", "workspace").stderr
    assert code(run("rm", "workspace/a", typed="n\n")) != 0
    assert (place / "a").exists()
    assert run("rm", "-y", "workspace/a", "workspace/c").exit_code == 0
    assert sorted(one.name for one in place.iterdir()) == ["x", "z"]
    assert code(run("rm", "-y", "workspace/gone")) == 1


def test_a_text_is_edited_and_never_lost(
    run: Run, agent: AgentProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = agent.folder / "workspace/run.sh"
    monkeypatch.setattr(click, "edit", lambda text, extension: f"{text}more\n")
    assert run("edit", "workspace/run.sh").exit_code == 0
    assert run("edit", "workspace/run.sh").exit_code == 0
    assert file.read_text() == "more\nmore\n"

    def somebody_is_quicker(text: str, extension: str) -> str:
        file.write_text("of somebody else")
        return "mine\n"

    monkeypatch.setattr(click, "edit", somebody_is_quicker)
    result = run("edit", "workspace/run.sh")
    assert code(result) == 1
    assert file.read_text() == "of somebody else"
    assert Path("run.sh.edited").read_text() == "mine\n"
    monkeypatch.setattr(click, "edit", lambda text, extension: None)
    assert "Nothing was changed" in run("edit", "workspace/run.sh").stderr


@pytest.mark.parametrize(
    ("words", "expected"),
    [(("ls", "workspace/gone"), 4), (("ls", "/etc"), 4), (("cat", "workspace"), 2),
     (("ls", "--root", "data:lab"), 4), (("ls", ".."), 2), (("mv", "one"), 2),
     (("get", "workspace/etc/passwd"), 3), (("put", "gone", "workspace"), 2),
     (("rm", "-y", ""), 3)],
)  # fmt: skip
def test_what_cannot_be_is_said_with_its_exit_code(
    run: Run, agent: AgentProcess, words: tuple[str, ...], expected: int
) -> None:
    (agent.folder / "workspace/etc").symlink_to("/etc")
    assert code(run(*words)) == expected


def test_roots_are_told_with_their_room(run: Run, agent: AgentProcess) -> None:
    assert str(agent.folder) in run("roots").output
    (only,) = json.loads(run("roots", "--json").stdout)
    assert (only["root"], only["may_change"]) == ("scratch", True)
    assert only["free_bytes"] > 0
