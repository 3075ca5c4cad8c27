"""A run's command: its text, its variables, its end; with the real bash and bwrap."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from kqi_hub.runner.runs.processes import descendants
from tests.adapters.runner.run_job import (
    REPOSITORY,
    Done,
    order,
    read,
    run_job,
    start,
    without_bwrap,
    write_secret,
)


def test_a_plain_command_runs_and_is_told_of_in_full(tmp_path: Path) -> None:
    done = run_job(tmp_path, order("echo hello; echo 0.93 > $KQI_OUTPUT/value.txt"))
    assert done.code == 0, done.log
    assert "\nhello\n" in done.log
    result = done.result
    assert (result["exit_code"], result["why"], result["value"]) == (0, "", "0.93")
    assert (result["files"], result["bytes"], result["zip"]) == (1, 5, None)
    assert result["mounts"] == "bwrap"
    assert list(result["phases"]) == ["staging", "running", "saving", "ended"]
    assert done.state["phase"] == "ended"
    assert done.state["node"] == "n1"


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("exit 7", 7),
        ("false", 1),
        ("false\ntrue", 0),
        ("kill -9 $$", 137),
        ("no-such-program", 127),
        ("if", 2),
    ],
)
@pytest.mark.parametrize("mounted", [True, False])
def test_exit_status_is_the_commands_own(
    tmp_path: Path, command: str, code: int, mounted: bool
) -> None:
    environ = {} if mounted else without_bwrap(tmp_path)
    done = run_job(tmp_path, order(command), **environ)
    assert (done.code, done.result["exit_code"]) == (code, code), done.log
    assert done.result["mounts"] == ("bwrap" if mounted else "folder")


SLEEPY = f"{sys.executable} -c \"import time; print('early'); time.sleep(60)\""


@pytest.mark.parametrize("command", [SLEEPY, "(echo early; sleep 60) | tr x y"])
def test_lines_are_in_the_log_while_the_command_runs(
    tmp_path: Path, command: str
) -> None:
    folder = tmp_path / "kqi/training/12"
    begun = time.monotonic()
    process = start(write_secret(tmp_path, order(command)), folder)
    assert process.stdout is not None
    while process.stdout.readline() != "early\n":
        assert time.monotonic() - begun < 30
    assert time.monotonic() - begun < 30
    process.terminate()
    process.communicate(timeout=20)
    assert process.returncode == 143


HOSTILE = [
    "echo \"it's\" '$(id)' `echo tick` \\\\ > $KQI_OUTPUT/x",
    "#SBATCH --uid=root\necho --uid=root > $KQI_OUTPUT/x",
    "cat > $KQI_OUTPUT/x <<'END'\n$HOME `id` $(id) \"'\n\tEND\nEND\n",
    "printf '%s' '訓練 \u202e é' > $KQI_OUTPUT/x",
    "x=1 \\\n  && echo $x > $KQI_OUTPUT/x # no line end here",
    "printf '%s' \"$0\" | wc -l > $KQI_OUTPUT/x\r",
]


@pytest.mark.parametrize("command", HOSTILE)
def test_command_is_run_exactly_as_typed(tmp_path: Path, command: str) -> None:
    done = run_job(tmp_path, order(command))
    assert (done.folder / "command.sh").read_bytes() == command.encode()
    names = [one.name for one in (done.folder / "output").iterdir()]
    assert [name[0] for name in names] == ["x"], done.log


# What may be in a command or a variable: any text that is UTF-8, without NUL.
TYPED = st.text(
    st.characters(codec="utf-8", exclude_characters="\0")
    | st.sampled_from("'\"\\$`\n\r\t(){};&|<>*?#!~ \u2028\u202e")
)
NAMES = st.from_regex(r"X[A-Za-z0-9_]{0,20}", fullmatch=True)


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(texts=st.lists(TYPED, min_size=1, max_size=30), name=NAMES, value=TYPED)
def test_bash_parses_back_what_was_given(
    tmp_path: Path, texts: list[str], name: str, value: str
) -> None:
    quoted = " ".join("'" + text.replace("'", "'\\''") + "'" for text in texts)
    command = f"printf '%s\\0' {quoted} \"${name}\" > $KQI_OUTPUT/said"
    shutil.rmtree(tmp_path / "kqi", ignore_errors=True)
    done = run_job(tmp_path, order(command, variables={name: value}))
    assert done.code == 0, done.log
    said = (done.folder / "output" / "said").read_bytes().split(b"\0")
    assert [one.decode() for one in said[:-1]] == [*texts, value]
    assert (done.folder / "command.sh").read_bytes() == command.encode()


def test_variables_have_their_order_of_strength(tmp_path: Path) -> None:
    told = order(
        "env -0 > $KQI_OUTPUT/env",
        variables={
            "LC_ALL": "C",
            "LANG": "xx",
            "TRAINING_ID": "99",
            "KQI_OUTPUT": "/elsewhere",
            "ENTRY_POINT": "mine",
            "COLUMNS": "40",
            "http_proxy": "http://mine",
            "MINE": "a 'b' \"c\" $(id)\nline\té",
        },
        defaults={"COLUMNS": "120", "http_proxy": "http://site", "https_proxy": "s"},
        ports=[6006, 8080],
    )
    done = run_job(tmp_path, told, PYTHONPATH="/x", CONDA_PREFIX="/y", LC_CTYPE="z")
    pairs = done.output("env").split("\0")
    found = dict(pair.split("=", 1) for pair in pairs if pair)
    assert (
        found
        | {
            "LC_ALL": "C.UTF-8",
            "LANG": "C.UTF-8",
            "TRAINING_ID": "12",
            "KQI_OUTPUT": "/kqi/output",
            "KQI_HOME": "/kqi",
            "KQI_PORTS": "6006,8080",
            "ENTRY_POINT": "env -0 > $KQI_OUTPUT/env",
            "COLUMNS": "40",
            "http_proxy": "http://mine",
            "https_proxy": "s",
            "PYTHONUNBUFFERED": "1",
            "MINE": "a 'b' \"c\" $(id)\nline\té",
            "SLURM_JOB_ID": "77",
        }
        == found
    )
    assert not {"PYTHONPATH", "CONDA_PREFIX"} & set(found)


def environment(tmp_path: Path, name: str) -> Path:
    prefix = tmp_path / ".conda" / "envs" / name
    (prefix / "bin").mkdir(parents=True)
    program = prefix / "bin" / "mine"
    program.write_text("#!/bin/sh\necho from $CONDA_DEFAULT_ENV $FROM_ACTIVATE\n")
    program.chmod(0o755)
    scripts = prefix / "etc" / "conda" / "activate.d"
    scripts.mkdir(parents=True)
    (scripts / "a.sh").write_text("export FROM_ACTIVATE=activated\n")
    return prefix


def test_an_environment_is_activated_by_its_name(tmp_path: Path) -> None:
    prefix = environment(tmp_path, "vision")
    (prefix / "conda-meta").mkdir()
    (prefix / "conda-meta" / "numpy-2.1-py_0.json").write_text("{}")
    (prefix / "lib/python3.12/site-packages/rich-1.0.dist-info").mkdir(parents=True)
    done = run_job(tmp_path, order("mine", environment="vision"))
    assert "\nfrom vision activated\n" in done.log
    noted = read(done.folder / "environment.json")
    assert (noted["conda"], noted["pip"]) == (["numpy-2.1-py_0"], ["rich-1.0"])
    about = {"name": "vision", "sha256": noted["sha256"]}
    assert done.result["environment"] == about


@pytest.mark.parametrize("name", ["gone", "../vision", "a b", "-x"])
def test_a_run_does_not_begin_without_its_environment(
    tmp_path: Path, name: str
) -> None:
    environment(tmp_path, "vision")
    done = run_job(tmp_path, order("touch $KQI_OUTPUT/x", environment=name))
    assert done.code == 68
    assert "there is no environment" in done.result["why"]
    assert not (done.folder / "output" / "x").exists()


def started(
    tmp_path: Path, command: str, **environ: str
) -> tuple[subprocess.Popen[str], Path]:
    folder = tmp_path / "kqi" / "training" / "12"
    process = start(write_secret(tmp_path, order(command)), folder, **environ)
    begun = time.monotonic()
    while not (folder / "output" / "ready").exists():
        assert time.monotonic() - begun < 20
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.02)
    return process, folder


SAVES = (
    "trap 'echo saved >> $KQI_OUTPUT/saved; exit 5' TERM\n"
    "trap 'echo warned >> $KQI_OUTPUT/saved' USR1\n"
    "touch $KQI_OUTPUT/ready\nwhile :; do sleep 0.05; done"
)


def test_term_to_the_batch_script_alone_reaches_the_command_once(
    tmp_path: Path,
) -> None:
    process, folder = started(tmp_path, SAVES)
    process.send_signal(signal.SIGTERM)
    log = process.communicate(timeout=20)[0]
    done = Done(process.returncode, log, folder)
    assert (done.code, done.output("saved")) == (5, "saved\n"), log
    assert done.result["why"] == "it was told to stop"


def test_term_to_every_process_as_slurm_sends_it_is_not_sent_again(
    tmp_path: Path,
) -> None:
    saves = (
        "trap 'echo saved >> $KQI_OUTPUT/saved; sleep 1; echo whole >> "
        "$KQI_OUTPUT/saved; exit 5' TERM\n"
        "touch $KQI_OUTPUT/ready\nwhile :; do sleep 0.05; done"
    )
    process, folder = started(tmp_path, saves)
    for one in [*descendants(process.pid), process.pid]:
        try:
            os.kill(one, signal.SIGTERM)
        except ProcessLookupError:
            continue
    log = process.communicate(timeout=20)[0]
    done = Done(process.returncode, log, folder)
    assert done.output("saved") == "saved\nwhole\n", log
    assert done.code == 5


def test_the_warning_reaches_those_that_wait_for_it_and_kills_nobody(
    tmp_path: Path,
) -> None:
    plain = "touch $KQI_OUTPUT/ready; sleep 1; echo lived > $KQI_OUTPUT/saved"
    for command, said in ((SAVES, "warned\nsaved\n"), (plain, "lived\n")):
        process, folder = started(tmp_path, command)
        process.send_signal(signal.SIGUSR1)
        if command is SAVES:
            begun = time.monotonic()
            while not (folder / "output" / "saved").exists():
                assert time.monotonic() - begun < 20
                time.sleep(0.02)
            process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
        assert (folder / "output" / "saved").read_text() == said
        for name in ("ready", "saved"):
            (folder / "output" / name).unlink()
        (folder / "result.json").unlink()


def test_what_the_command_leaves_behind_ends_with_it(tmp_path: Path) -> None:
    done = run_job(
        tmp_path, order("setsid sleep 300 & echo $! > $KQI_OUTPUT/pid; exit 3")
    )
    assert done.code == 3
    assert not Path(f"/proc/{int(done.output('pid'))}").exists()
    assert "left 1 programs behind" in done.log


def test_a_stop_while_it_prepares_is_told_as_a_stop(tmp_path: Path) -> None:
    source = {"url": "http://127.0.0.1:9/x.git", "ref": "", "commit": ""}
    folder = tmp_path / "kqi" / "training" / "12"
    fake = tmp_path / "bin"
    fake.mkdir()
    (fake / "git").write_text("#!/bin/sh\nexec sleep 60\n")
    (fake / "git").chmod(0o755)
    told = order("true", source=source)
    secret = write_secret(tmp_path, told)
    process = start(secret, folder, PATH=f"{fake}:{os.environ['PATH']}")
    begun = time.monotonic()
    while True:
        assert time.monotonic() - begun < 20
        state = folder / "state.json"
        if state.exists() and json.loads(state.read_text())["phase"] == "cloning":
            break
        time.sleep(0.02)
    time.sleep(0.2)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode == 143
    assert json.loads((folder / "result.json").read_text())["why"] == (
        "it was told to stop"
    )


@pytest.mark.parametrize("mounted", [True, False])
def test_a_program_can_be_started_beside_the_command(
    tmp_path: Path, mounted: bool
) -> None:
    command = "export MINE=1; touch $KQI_OUTPUT/ready; exec sleep 60"
    environ = {} if mounted else without_bwrap(tmp_path)
    process, folder = started(tmp_path, command, **environ)
    inside = [sys.executable, "-m", "kqi_hub.runner.inside", str(folder)]
    look = 'pwd; ls $KQI_OUTPUT; echo $MINE "$1"; id -u'
    done = subprocess.run(
        [*inside, "bash", "-c", look, "x", "a b'$c"],
        cwd=REPOSITORY, env={"PATH": os.environ["PATH"]},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    home = "/kqi" if mounted else str(folder)
    said = f"{home}/git\nready\n1 a b'$c\n{os.geteuid()}\n"
    assert (done.stdout, done.returncode) == (said, 0), done.stderr
    process.terminate()
    process.communicate(timeout=20)
    after = subprocess.run(
        [*inside, "true"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert after.returncode == 69
    assert "not running on this node" in after.stderr
