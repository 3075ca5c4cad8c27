"""A notebook's job from its start to its end, with the real server."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.runner.order_file import order, write_order
from tests.adapters.session.job import Job, job
from tests.fakes.session_hub import until

BROKEN = "raise SystemExit('a broken file of the person')\n"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Job]:
    top = tmp_path_factory.mktemp("alice")
    kernel = top / ".conda/envs/torch/share/jupyter/kernels/python3"
    kernel.mkdir(parents=True)
    spec = {
        "argv": ["python", "-m", "x"],
        "display_name": "Python 3",
        "language": "python",
    }
    (kernel / "kernel.json").write_text(json.dumps(spec))
    for name in (".jupyter", ".ipython/profile_default", ".local/share/jupyter"):
        (top / "home" / name).mkdir(parents=True)
    for name in (
        "jupyter_server_config.py",
        "jupyter_config.py",
        "jupyter_lab_config.py",
    ):
        (top / "home/.jupyter" / name).write_text(BROKEN)
    (top / "home/.jupyter/jupyter_server_config.json").write_text("{broken")
    trap = top / "trap"
    trap.mkdir()
    for name in ("tornado", "json", "sitecustomize", "jupyter_server"):
        (trap / f"{name}.py").write_text(BROKEN)
    surroundings = {
        "PYTHONPATH": str(trap),
        "PYTHONHOME": "/nonexistent",
        "CONDA_PREFIX": "/nonexistent",
        "JUPYTER_CONFIG_DIR": str(top / "home/.jupyter"),
    }
    variables = {
        "MY_VARIABLE": "my value",
        "PYTHONPATH": str(trap),
        "NOTEBOOK_ID": "another's",
    }
    with job(top, surroundings, environment="torch", variables=variables) as started:
        yield started


def test_phases_and_port_are_told_in_their_order(running: Job) -> None:
    assert running.ask("api").status == 200
    steps = [json.dumps(body) for path, body in running.hub.told if "users" not in path]
    assert steps[:2] == ['{"phase": "node"}', '{"phase": "environment"}']
    assert steps[2].startswith('{"port": ')
    assert steps[3] == '{"phase": "server"}'


@pytest.mark.parametrize("page", ["lab", "tree", "lab/tree/x", "edit/a.py"])
def test_both_interfaces_answer_with_the_banner(running: Job, page: str) -> None:
    answer = running.ask(page)
    assert answer.status == 200
    assert answer.body.count(b"kqi/session/banner.js") == 1
    assert "default-src" not in answer.headers.get("Content-Security-Policy", "")


def test_broken_home_and_foreign_pythons_are_harmless(running: Job) -> None:
    assert running.ask("api/status").json()["kernels"] == 0
    assert "broken file of the person" not in running.said


def test_nothing_is_written_into_the_home(running: Job) -> None:
    home = running.top / "home"
    before = set(home.rglob("*"))
    assert running.ask("lab").status == 200
    assert running.ask("tree").status == 200
    names = {str(path.relative_to(home)) for path in set(home.rglob("*")) | before}
    given = {".jupyter", ".ipython", ".ipython/profile_default"}
    given |= {".local", ".local/share", ".local/share/jupyter"}
    configuration = {name for name in names if name.startswith(".jupyter/")}
    assert names - configuration == given


def test_kernels_of_environments_are_listed_and_the_chosen_one_is_first(
    running: Job,
) -> None:
    found = running.ask("api/kernelspecs").json()
    assert found["default"] == "conda-torch"
    specs = found["kernelspecs"]
    assert set(specs) == {"conda-torch", "python3", "site-python3"}


def test_notebooks_that_ask_for_python3_get_the_chosen_environments(
    running: Job,
) -> None:
    specs = running.ask("api/kernelspecs").json()["kernelspecs"]
    usual, site = specs["python3"]["spec"], specs["site-python3"]["spec"]
    prefix = str(running.top / ".conda/envs/torch")
    assert usual["argv"][0] == f"{prefix}/bin/python"
    assert usual["display_name"].startswith("Python 3 (chosen: torch)")
    assert prefix not in str(site)
    assert running.ask("api/kernelspecs/site-python3").status == 200


def test_environment_that_is_made_meanwhile_is_listed_without_a_restart(
    running: Job,
) -> None:
    folder = running.top / ".conda/envs/new/share/jupyter/kernels/python3"
    folder.mkdir(parents=True)
    spec = {"argv": ["python"], "display_name": "New", "language": "python"}
    (folder / "kernel.json").write_text(json.dumps(spec))
    found = until(
        lambda: "conda-new" in running.ask("api/kernelspecs").json()["kernelspecs"]
    )
    assert found


def test_lab_asks_nobody_about_news(running: Job) -> None:
    plugin = "@jupyterlab/apputils-extension:notification"
    kept = running.ask(f"lab/api/settings/{plugin}").json()["schema"]["properties"]
    assert kept["fetchNews"]["default"] == "false"
    assert kept["checkForUpdates"]["default"] is False


def test_lab_shows_no_panel_whose_part_in_the_server_is_off(running: Job) -> None:
    """IPython Parallel's panel greets everybody with a dialog that it found nothing."""
    page = running.ask("lab").body.decode()
    told = re.search(r'id="jupyter-config-data"[^>]*>(.*?)</script>', page, re.S)
    assert told is not None
    off = json.loads(told[1])["disabledExtensions"]
    assert set(off) == {"ipyparallel-labextension", "@jupyterhub/jupyter-server-proxy"}


def test_session_is_known_to_scripts(running: Job) -> None:
    state = running.state()
    assert state["notebook"]["page"] == "http://portal/notebooks/12"
    assert state["node"] == "gpu07"
    assert 3500 < state["ends_at"] - state["now"] <= 3600
    assert "60 minutes" in state["rule"]
    assert set(state["seen"]) >= {"kernels_busy", "connections"}
    assert state["notices"] == []


def test_session_speaks_the_browsers_language(running: Job) -> None:
    headers = {"Authorization": "token the-token", "Accept-Language": "ko-KR,en;q=0.2"}
    state = running.ask("kqi/session", headers=headers).json()
    assert state["language"] == "ko"
    assert "60분" in state["rule"]


@pytest.mark.parametrize("path", ["kqi/session", "lab", "api/contents", "api/kernels"])
@pytest.mark.parametrize("headers", [{}, {"Authorization": "token another-token"}])
def test_strangers_see_nothing(
    running: Job, path: str, headers: dict[str, str]
) -> None:
    answer = running.ask(path, headers=headers | {"Accept": "application/json"})
    assert b"portal/notebooks" not in answer.body
    # A page asks for a login, at the hub.
    assert answer.status in (403, 404, 502) or b"oauth" in answer.body.lower()


def test_stranger_cannot_say_to_be_here(running: Job) -> None:
    answer = running.ask("kqi/session/here", "POST", {}, headers={})
    assert answer.status == 403


def test_owner_can_say_to_be_here(running: Job) -> None:
    assert running.ask("kqi/session/here", "POST", {}).status == 200


def test_browser_must_prove_that_its_own_page_says_so(running: Job) -> None:
    cookies = running.log_in()
    whole = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
    assert running.ask("kqi/session", headers=whole).status == 200
    assert running.ask("kqi/session/here", "POST", {}, headers=whole).status == 403
    proof = whole | {"X-XSRFToken": cookies["_xsrf"]}
    assert running.ask("kqi/session/here", "POST", {}, headers=proof).status == 200


@pytest.mark.parametrize(
    "path",
    ["kqi/session/texts.json", "kqi/session/..%2ftexts.json", "kqi/session/banner.jsx"],
)
def test_banner_serves_its_own_files_only(running: Job, path: str) -> None:
    assert running.ask(path).status == 404


@pytest.mark.parametrize(
    ("name", "kind"), [("banner.js", "text/javascript"), ("banner.css", "text/css")]
)
def test_banners_files_come_with_their_type(running: Job, name: str, kind: str) -> None:
    answer = running.ask(f"kqi/session/{name}")
    assert answer.headers["Content-Type"].startswith(kind)
    assert b"kqi" in answer.body


def test_terminal_starts_in_the_workspace_with_the_persons_variables(
    running: Job,
) -> None:
    terminal = running.ask("api/terminals", "POST", {}).json()
    shell = until(lambda: _shell_below(running.process.pid))
    assert Path(f"/proc/{shell}/cwd").readlink() == running.top / "workspace"
    environ = Path(f"/proc/{shell}/environ").read_bytes().split(b"\0")
    assert b"MY_VARIABLE=my value" in environ
    assert b"SLURMD_NODENAME=gpu07" in environ
    assert [one for one in environ if one.startswith(b"NOTEBOOK_ID=")] == [
        b"NOTEBOOK_ID=12"
    ]
    assert running.ask(f"api/terminals/{terminal['name']}", "DELETE").status == 204


def _shell_below(top: int) -> int | None:
    """Return the terminal's shell, once it has become bash."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if b"terminal.bashrc" in command and _descends(int(entry.name), top):
            return int(entry.name)
    return None


def _descends(pid: int, top: int) -> bool:
    while pid > 1:
        if pid == top:
            return True
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
        pid = int(stat.rpartition(")")[2].split()[1])
    return False


def test_idle_notebook_is_warned_told_to_the_hub_and_ended(tmp_path: Path) -> None:
    with job(tmp_path, idle_stop_s=3, idle_warn_s=2) as started:
        assert started.ask("api").status == 200
        until(lambda: started.state()["stops_at"])
        assert started.ends() == 0
        endings = [one for one in started.hub.bodies() if "ending" in one]
        assert [one["ending"] for one in endings] == ["idle"]
        assert endings[0]["seen"]["kernels_busy"] == 0
        assert len(endings[0]["seen"]) <= 8
        assert started.hub.bodies()[-1] == {"ended": {"exit_code": 0}}
        assert "Idle for" in started.said


def test_background_program_of_the_start_command_keeps_it_alive(tmp_path: Path) -> None:
    command = "nohup setsid sleep 6 >/dev/null 2>&1 & echo started in $PWD"
    with job(tmp_path, idle_stop_s=2, idle_warn_s=1, command=command) as started:
        assert started.ask("api").status == 200
        state = until(
            lambda: (s := started.state())["seen"]["terminals_background"] and s
        )
        assert state["stops_at"] is None
        assert started.ends() == 0
        assert f"started in {tmp_path}/workspace" in started.said


def test_shutdown_from_inside_is_told_as_finished(tmp_path: Path) -> None:
    with job(tmp_path) as started:
        assert started.ask("api/shutdown", "POST", {}).status == 200
        assert started.ends() == 0
        assert {"ending": "finished", "seen": {}} in started.hub.bodies()


def test_stop_from_slurm_ends_it_in_order_without_a_reason_of_its_own(
    tmp_path: Path,
) -> None:
    with job(tmp_path) as started:
        assert started.ask("api").status == 200
        os.killpg(started.process.pid, signal.SIGTERM)
        assert started.ends() == 0
        assert not [one for one in started.hub.bodies() if "ending" in one]
        assert started.hub.bodies()[-1] == {"ended": {"exit_code": 0}}


def test_slurm_that_ends_the_kernels_as_well_does_not_hold_the_end_up(
    tmp_path: Path,
) -> None:
    with job(tmp_path) as started:
        kernel = started.ask("api/kernels", "POST", {}).json()
        until(lambda: _kernel_process(kernel["id"]))
        time.sleep(4)  # the restarter looks every 3 s
        begun = time.monotonic()
        os.kill(int(until(lambda: _kernel_process(kernel["id"]))), signal.SIGKILL)
        os.killpg(started.process.pid, signal.SIGTERM)
        assert started.ends() == 0
        assert time.monotonic() - begun < 8
        assert started.hub.bodies()[-1] == {"ended": {"exit_code": 0}}


def test_kernels_left_open_end_with_the_session_and_files_stay(
    tmp_path: Path,
) -> None:
    with job(tmp_path) as started:
        kernel = started.ask("api/kernels", "POST", {}).json()
        pid = until(lambda: _kernel_process(kernel["id"]))
        text = {"type": "file", "format": "text", "content": "kept"}
        assert started.ask("api/contents/kept.txt", "PUT", text).status == 201
        os.killpg(started.process.pid, signal.SIGTERM)
        assert started.ends() == 0
        assert not Path(f"/proc/{pid}").exists()
    with job(tmp_path) as again:
        assert again.ask("api/kernels").json() == []
        assert again.ask("api/contents/kept.txt").json()["content"] == "kept"


def _kernel_process(kernel_id: str) -> int | None:
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if f"kernel-{kernel_id}".encode() in command:
            return int(entry.name)
    return None


def test_slurms_signal_before_the_limit_warns_and_ends_nothing(tmp_path: Path) -> None:
    with job(tmp_path, lifetime_s=None, end_warn_s=300) as started:
        assert started.state()["ends_at"] is None
        started.process.send_signal(signal.SIGUSR1)
        state = until(lambda: (s := started.state())["ends_at"] and s)
        assert 290 < state["ends_at"] - state["now"] <= 300
        assert "time limit is near" in started.said


def test_what_fails_at_the_start_is_said_and_the_server_starts(tmp_path: Path) -> None:
    repository = {"url": str(tmp_path / "none.git"), "ref": ""}
    with job(
        tmp_path,
        environment="gone",
        repository=repository,
        command="echo out; exit 7",
    ) as started:
        codes = [one["code"] for one in started.state()["notices"]]
        assert codes == ["clone-failed", "command-failed", "environment-missing"]
        assert "FAILED with exit code 7" in started.said


def test_repository_lies_in_git_and_the_start_command_runs_in_it(
    tmp_path: Path,
) -> None:
    origin = a_repository(tmp_path / "project")
    with job(
        tmp_path,
        repository={"url": str(origin), "ref": ""},
        command="cat file > seen-by-the-command",
    ) as started:
        found = started.ask("api/contents/git/project/seen-by-the-command").json()
        assert found["content"] == "of the repository\n"
        assert started.state()["notices"] == []
        clone = tmp_path / "workspace/git/project"
        assert (clone / "seen-by-the-command").read_text() == "of the repository\n"


def test_without_a_chosen_environment_the_sites_own_python_is_first(
    tmp_path: Path,
) -> None:
    kernel = tmp_path / ".conda/envs/torch/share/jupyter/kernels/python3"
    kernel.mkdir(parents=True)
    spec = {"argv": ["python"], "display_name": "Torch", "language": "python"}
    (kernel / "kernel.json").write_text(json.dumps(spec))
    with job(tmp_path) as started:
        found = started.ask("api/kernelspecs").json()
        assert found["default"] == "python3"
        assert set(found["kernelspecs"]) == {"conda-torch", "python3"}


def a_repository(folder: Path) -> Path:
    folder.mkdir()
    (folder / "file").write_text("of the repository\n")
    who = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    for words in (("init", "-q"), ("add", "file"), (*who, "commit", "-q", "-m", "one")):
        subprocess.run(["git", "-C", str(folder), *words], check=True)
    return folder


def test_scratch_that_takes_nothing_does_not_keep_it_from_starting(
    tmp_path: Path,
) -> None:
    (tmp_path / "kqi").mkdir()
    (tmp_path / "kqi/jupyter").write_text("in the way")
    with job(tmp_path) as started:
        assert started.ask("lab").status == 200
        assert "Nothing can be written on scratch" in started.said


def test_order_that_others_may_read_ends_with_a_sentence(tmp_path: Path) -> None:
    file = write_order(tmp_path, order(), 0o644)
    argv = [sys.executable, "-I", "-m", "kqi_hub.runner.notebook", str(file)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 64
    assert "others may read it" in done.stdout
    assert "Traceback" not in done.stderr


def test_a_token_for_git_is_nowhere_but_in_the_sessions_file(tmp_path: Path) -> None:
    secret = "s3cret-word-of-alice"
    seen = tmp_path / "seen"
    left = write_order(tmp_path, {}).with_name("nb-12-" + "z" * 26)
    left.write_text(secret)
    with job(
        tmp_path,
        git={"user": "alice", "password": secret},
        repository={"url": "https://127.0.0.1:9/x/project.git", "ref": ""},
        may_push=True,
        command=f"env > {seen}; git config --get-regexp credential >> {seen}",
    ) as started:
        assert started.ask("api").status == 200
        assert not left.exists()
        kernel = started.ask("api/kernels", "POST", {}).json()
        kernel_pid = until(lambda: _kernel_process(kernel["id"]))
        for pid in (started.process.pid, kernel_pid):
            for name in ("environ", "cmdline"):
                assert secret.encode() not in Path(f"/proc/{pid}/{name}").read_bytes()
        assert b"git_token" in Path(f"/proc/{kernel_pid}/environ").read_bytes()
        held = [
            file
            for file in tmp_path.rglob("*")
            if file.is_file() and secret.encode() in file.read_bytes()
        ]
        os.killpg(started.process.pid, signal.SIGTERM)
        assert started.ends() == 0
    assert "credential.https://127.0.0.1:9.helper" in seen.read_text()
    assert [file.parent.name for file in held] == ["secrets"]
    assert not held[0].exists()


def test_without_a_stored_token_the_session_says_so(tmp_path: Path) -> None:
    repository = {"url": "https://127.0.0.1:9/x/project.git", "ref": ""}
    with job(tmp_path, repository=repository, may_push=True) as started:
        codes = [one["code"] for one in started.state()["notices"]]
    assert codes == ["push-no-token", "clone-failed"]
