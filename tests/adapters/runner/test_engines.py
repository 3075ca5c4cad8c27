"""The engines of a session: what was left is cleared away, what runs is ended."""

import json
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kqi_hub.runner.engines import EnginesEnd, clear_dead, prepare_engines


@pytest.fixture
def security(tmp_path: Path) -> Path:
    folder = tmp_path / "ipython/profile_slurm/security"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as made:
        return int(made.getsockname()[1])


def write(security: Path, known: str, told: object) -> None:
    stem = f"ipcontroller-{known}" if known else "ipcontroller"
    for name in (f"{stem}-client", f"{stem}-engine", f"cluster-{known}"):
        (security / f"{name}.json").write_text(json.dumps(told))


def names(security: Path) -> set[str]:
    return {path.name for path in security.iterdir()}


def test_controller_that_is_gone_is_cleared_and_one_that_lives_stays(
    security: Path, listener: socket.socket
) -> None:
    alive = {"interface": "tcp://127.0.0.1", "registration": listener.getsockname()[1]}
    dead = {"interface": "tcp://127.0.0.1", "registration": closed_port()}
    write(security, "", dead)
    write(security, "mine-2", dead)
    write(security, "lives", alive)
    assert sorted(clear_dead(security)) == ["", "mine-2"]
    assert names(security) == {
        "ipcontroller-lives-client.json",
        "ipcontroller-lives-engine.json",
        "cluster-lives.json",
    }


def test_cluster_without_a_controller_is_cleared_unless_it_is_just_beginning(
    security: Path,
) -> None:
    for known, age_s in (("", 1000), ("begins", 1)):
        file = security / f"cluster-{known}.json"
        file.write_text("{}")
        os.utime(file, (time.time() - age_s,) * 2)
    clear_dead(security)
    assert names(security) == {"cluster-begins.json"}


@pytest.mark.parametrize(
    "told",
    [
        None,
        [],
        {},
        {"interface": "tcp://127.0.0.1", "registration": "x"},
        {"interface": "tcp://127.0.0.1", "registration": 1 << 70},
        {"interface": "tcp://127.0.0.1", "registration": -1},
        {"interface": "tcp://no such host\x00", "registration": 1},
        {"interface": 7, "registration": 7},
    ],
)
def test_file_that_says_nothing_clear_is_left(security: Path, told: object) -> None:
    write(security, "odd", told)
    before = names(security)
    assert clear_dead(security) == []
    assert names(security) == before


def test_profile_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "ipython").write_text("in the way")
    said: list[str] = []
    prepare_engines(tmp_path / "ipython", tmp_path / "log", said.append)
    assert "Engines in Slurm cannot be started" in said[0]


def scancel(tmp_path: Path, body: str) -> dict[str, str]:
    program = tmp_path / "bin/scancel"
    program.parent.mkdir()
    program.write_text(f'#!/bin/bash\necho "$@" >> {tmp_path}/asked\n{body}\n')
    program.chmod(0o755)
    return {"PATH": f"{program.parent}:{os.environ['PATH']}", "SLURM_JOB_ID": "99"}


def end(tmp_path: Path, environ: dict[str, str], said: list[str]) -> None:
    engines = EnginesEnd(tmp_path / "ipython", environ)
    engines.begin(said.append)
    engines.begin(said.append)
    engines.finish(said.append)


def test_end_asks_slurm_once_and_by_the_sessions_own_name(
    tmp_path: Path, security: Path
) -> None:
    write(security, "", {})
    said: list[str] = []
    end(tmp_path, scancel(tmp_path, ""), said)
    asked = (tmp_path / "asked").read_text()
    assert asked == "--quiet --name=kqi-engines-99\n"
    assert said == ["Engines in Slurm were told to end."]


def test_session_without_engines_asks_slurm_nothing(
    tmp_path: Path, security: Path
) -> None:
    del security
    end(tmp_path, scancel(tmp_path, ""), [])
    assert not (tmp_path / "asked").exists()


@pytest.mark.parametrize("job", ["", "x", "9 --full"])
def test_no_job_no_question(tmp_path: Path, security: Path, job: str) -> None:
    write(security, "", {})
    end(tmp_path, scancel(tmp_path, "") | {"SLURM_JOB_ID": job}, [])
    assert not (tmp_path / "asked").exists()


@pytest.mark.parametrize("body", ["exit 1", "exec sleep 60"])
def test_slurm_that_does_not_answer_holds_nothing_up(
    tmp_path: Path, security: Path, body: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kqi_hub.runner.engines._CANCEL_S", 0.5)
    write(security, "", {})
    said: list[str] = []
    begun = time.monotonic()
    end(tmp_path, scancel(tmp_path, body), said)
    assert time.monotonic() - begun < 3
    assert "end by themselves" in said[0]


def test_machine_without_slurm_says_so(tmp_path: Path, security: Path) -> None:
    write(security, "", {})
    said: list[str] = []
    end(tmp_path, {"SLURM_JOB_ID": "99", "PATH": str(tmp_path)}, said)
    assert "end by themselves" in said[0]
