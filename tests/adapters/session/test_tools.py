"""TensorBoard, the Clusters page and ports of a session, with the real server."""

import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import Request, build_opener

import pytest

from tests.adapters.runner.order_file import PREFIX
from tests.adapters.session.job import Answer, Job, Stay, job
from tests.fakes.local_slurm import LocalSlurm
from tests.fakes.session_hub import until

QUEUES = {
    "trust": "fresh",
    "age_s": 4.2,
    "queues": [
        {"name": "cpu", "is_up": True, "free": 1, "total": 2},
        {"name": "v100", "is_up": False, "free": 0, "total": 2},
    ],
}
# Whatever looks at a page, Slurm is not asked.
_FORBIDDEN = '#!/bin/bash\necho "$0 $*" >> "$(dirname "$0")/../asked"\nexit 1\n'


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSlurm]:
    made = LocalSlurm(tmp_path_factory.mktemp("slurm") / "local")
    for name in ("sinfo", "squeue", "scontrol", "sacctmgr"):
        (made.bin / name).write_text(_FORBIDDEN)
        (made.bin / name).chmod(0o755)
    yield made
    made.end()


@pytest.fixture(scope="module")
def running(
    slurm: LocalSlurm, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Job]:
    login = {
        "PATH": f"{slurm.bin}:{os.environ['PATH']}",
        "SLURM_JOB_ID": "99",
        "SLURM_JOB_PARTITION": "cpu",
        "SLURM_JOB_ACCOUNT": "vision",
        "LD_PRELOAD": "",
    }
    with job(tmp_path_factory.mktemp("alice"), login) as started:
        started.hub.queues = QUEUES
        yield started


def write_events(folder: Path) -> None:
    """Write what TensorBoard shows, with its own package alone."""
    code = """
import sys, time
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter
writer = EventFileWriter(sys.argv[1])
for step in range(3):
    value = Summary.Value(tag="loss", simple_value=1 / (step + 1))
    writer.add_event(Event(wall_time=time.time(), step=step,
                           summary=Summary(value=[value])))
writer.close()
"""
    folder.mkdir(parents=True)
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True)


def tell(running: Job, path: str, **body: str) -> Answer:
    """Ask as a program that has the token."""
    headers = {"Authorization": "token the-token", "Content-Type": "application/json"}
    return running.ask(path, "POST", body, headers=headers)


def send(running: Job, path: str, **form: str) -> Answer:
    """Send a form as a browser that is logged in."""
    cookies = running.log_in()
    port = until(running.hub.port_of_server)
    request = Request(
        f"http://127.0.0.1:{port}{PREFIX}{path}",
        urlencode({"_xsrf": cookies["_xsrf"], **form}).encode(),
        {
            "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
            "Sec-Fetch-Mode": "navigate",
        },
        method="POST",
    )
    try:
        with build_opener(Stay()).open(request, timeout=60) as answer:
            return Answer(answer.status, answer.read(), answer.headers)
    except OSError as error:
        assert hasattr(error, "code"), error
        return Answer(error.code, error.read(), error.headers)  # type: ignore[attr-defined]  # an HTTPError


def test_tensorboard_shows_what_was_logged_through_a_socket_of_ones_own(
    running: Job,
) -> None:
    write_events(running.top / "workspace/logs/one")
    made = tell(running, "kqi/tensorboards", logdir="logs")
    assert made.status == 201, made.body
    told = made.json()
    assert told["logdir"] == str(running.top / "workspace/logs")
    place = told["path"].removeprefix(PREFIX)
    page = running.ask(place)
    assert page.status == 200
    assert b"TensorBoard" in page.body
    assert running.ask(f"{place}data/runs").json() == ["one"]
    tags = running.ask(f"{place}data/plugin/scalars/tags").json()
    assert "loss" in tags["one"]
    # No port: nobody else on the node can reach it.
    [pid] = processes("tensorboard_process", str(running.top))
    assert tcp_ports(pid) == set()
    [file] = sockets_of(pid)
    assert file.stat().st_mode & 0o077 == 0
    assert file.parent.stat().st_mode & 0o077 == 0
    again = tell(running, "kqi/tensorboards", logdir="./logs/../logs")
    assert again.json()["number"] == told["number"]
    stopped = tell(running, "kqi/tensorboards/stop", number=str(told["number"]))
    assert stopped.status == 200
    assert running.ask(place).status == 404
    assert not file.parent.exists()
    assert "logs" in running.ask("kqi/tensorboards").body.decode()


def processes(word: str, about: str = "") -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            line = (entry / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if word in line and about in line and "python" in line:
            found.append(int(entry.name))
    return found


def tcp_ports(pid: int) -> set[str]:
    return listening(pid, ("tcp", "tcp6"), "0A")


def listening(pid: int, tables: tuple[str, ...], state: str) -> set[str]:
    own = set()
    for fd in Path(f"/proc/{pid}/fd").iterdir():
        target = str(fd.readlink())
        if target.startswith("socket:["):
            own.add(target[8:-1])
    found = set()
    for table in tables:
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == state and words[9] in own:
                found.add(words[1])
    return found


def sockets_of(pid: int) -> list[Path]:
    arguments = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    return [Path(one) for one in arguments if one.endswith("/socket")]


@pytest.mark.parametrize(
    "folder", ["none", "../../no such", "a\nb", "x" * 5000, "\x00", "/etc/shadow"]
)
def test_tensorboard_of_what_is_no_folder_is_refused(running: Job, folder: str) -> None:
    answer = tell(running, "kqi/tensorboards", logdir=folder)
    assert answer.status == 400
    assert answer.json()["message"]


@pytest.mark.parametrize("number", ["999", "x", "", "-1", "1" * 50])
def test_tensorboard_that_does_not_run_cannot_be_stopped(
    running: Job, number: str
) -> None:
    answer = tell(running, "kqi/tensorboards/stop", number=number)
    assert answer.status == 400


@pytest.mark.parametrize(
    "path",
    ["kqi/tensorboards", "kqi/clusters", "kqi/tensorboard/1/", "proxy/80/"],
)
def test_strangers_meet_the_login(running: Job, path: str) -> None:
    answer = running.ask(path, headers={"Accept": "text/html"}, follow=False)
    assert answer.status in (302, 403)
    assert "oauth2/authorize" in answer.headers.get("Location", "oauth2/authorize")


@pytest.mark.parametrize("path", ["kqi/tensorboards", "kqi/clusters"])
def test_forms_of_other_pages_are_refused(running: Job, path: str) -> None:
    cookies = running.log_in()
    whole = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
    assert running.ask(path, "POST", {"logdir": "."}, headers=whole).status == 403


@pytest.mark.parametrize("path", ["kqi/tensorboards", "kqi/clusters"])
def test_pages_allow_nothing_from_elsewhere(running: Job, path: str) -> None:
    answer = running.ask(f"{path}?theme=dark")
    assert answer.status == 200
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    text = answer.body.decode()
    assert 'data-theme="dark"' in text
    assert not re.search(r"<script(?![^>]*src=)|\son[a-z]+=|\sstyle=", text)


def test_what_was_typed_comes_back_as_text(running: Job) -> None:
    evil = '"><script>alert(1)</script>'
    answer = running.ask(f"kqi/tensorboards?{urlencode({'logdir': evil})}")
    assert b"<script>alert" not in answer.body
    answer = send(running, "kqi/clusters", engines="2", queue=evil)
    assert answer.status == 400
    assert b"<script>alert" not in answer.body
    assert b"Letters, digits" in answer.body


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("engines", ""),
        ("engines", "0"),
        ("engines", "4 4"),
        ("nodes", "-1"),
        ("queue", "a\nb"),
        ("tenant", "$(id)"),
        ("memory_mb", "1e3"),
        ("minutes", "99999999"),
        ("kernel", "../python3"),
    ],
)
def test_group_that_cannot_be_is_refused_on_the_page(
    running: Job, slurm: LocalSlurm, field: str, value: str
) -> None:
    form = {"engines": "2", "nodes": "1", "queue": "cpu", "kernel": "python3"}
    answer = send(running, "kqi/clusters", **(form | {field: value}))
    assert answer.status == 400
    assert 'role="alert"' in answer.body.decode()
    assert not slurm.said("script")


def test_page_shows_the_portals_picture_of_the_queues_and_asks_slurm_nothing(
    running: Job, slurm: LocalSlurm
) -> None:
    asked = running.hub.queues_asked
    for _ in range(5):
        page = running.ask("kqi/clusters").body.decode()
        assert "<td>cpu</td><td>1</td><td>2</td>" in page
        assert "v100 (down)" in page
        assert re.search(r"As the portal saw them \d+ s ago", page)
        assert '<option value="cpu">' in page
    assert running.hub.queues_asked - asked <= 1
    assert slurm.said("asked") == ""


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (QUEUES | {"trust": "stale", "age_s": 7205.0}, "has not reached Slurm lately"),
        ({"trust": "none", "age_s": None, "queues": []}, "has not seen the queues"),
        (None, "The portal does not answer at the moment"),
    ],
)
def test_page_says_how_far_the_queues_can_be_trusted(
    tmp_path: Path, told: object, said: str
) -> None:
    with job(tmp_path, {"SLURM_JOB_PARTITION": "cpu"}) as started:
        started.hub.queues = told
        page = started.ask("kqi/clusters").body.decode()
    room = page[page.index('id="room"') :]
    assert said in room
    assert ("2 h ago" in room) is ("stale" in str(told))
    # Engines are started without it as well.
    assert 'value="cpu"' in page


def test_group_is_started_from_the_page_seen_and_stopped(
    running: Job, slurm: LocalSlurm
) -> None:
    sent = send(
        running,
        "kqi/clusters",
        engines="2",
        nodes="2",
        queue="v100",
        kernel="python3",
        memory_mb="300",
    )
    assert sent.status == 303, sent.body
    page = until(lambda: shows(running, "2 of 2"), 60)
    assert "4711" in page
    assert "ipp.Client(profile=&quot;slurm&quot;)" in page
    options = slurm.options()
    assert (options["partition"], options["nodes"]) == ("v100", "2")
    assert options["mem-per-cpu"] == "300M"
    assert send(running, "kqi/clusters/stop", name="").status == 303
    until(lambda: not slurm.runs(), 30)
    assert "Nothing runs here" in running.ask("kqi/clusters").body.decode()


def shows(running: Job, text: str) -> str:
    page = running.ask("kqi/clusters").body.decode()
    return page if text in page else ""


def test_group_that_slurm_refuses_says_why(running: Job, slurm: LocalSlurm) -> None:
    (slurm.top / "refuses").touch()
    try:
        assert send(running, "kqi/clusters", engines="1", nodes="1").status == 303
        page = until(lambda: shows(running, "failed"), 60)
        assert "invalid partition" in page
    finally:
        (slurm.top / "refuses").unlink()
    assert send(running, "kqi/clusters/stop", name="").status == 303
    assert "failed" not in running.ask("kqi/clusters").body.decode()


def test_group_that_is_not_there_cannot_be_stopped(running: Job) -> None:
    page = send(running, "kqi/clusters/stop", name="../x")
    assert "no such group" in page.body.decode()


class _Hello(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"hello {self.path}".encode())

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def test_own_port_is_led_to(running: Job) -> None:
    with HTTPServer(("127.0.0.1", 0), _Hello) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            answer = running.ask(f"proxy/{server.server_port}/a?b=c")
        finally:
            server.shutdown()
            thread.join()
    assert answer.body == b"hello /a?b=c"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_port_of_somebody_else_is_not_led_to(running: Job) -> None:
    listen = "import socket,time; s=socket.create_server(('127.0.0.1',0)); "
    listen += "print(s.getsockname()[1], flush=True); time.sleep(60)"
    other = subprocess.Popen(
        ["/usr/bin/python3", "-c", listen], stdout=subprocess.PIPE, user=65534
    )
    try:
        assert other.stdout is not None
        port = int(other.stdout.readline())
        answer = running.ask(f"proxy/{port}/")
        assert answer.status == 403
        assert b"not yours" in answer.body
    finally:
        other.kill()
        other.communicate()


def test_port_on_which_nothing_listens_is_said(running: Job) -> None:
    with socket.create_server(("127.0.0.1", 0)) as made:
        port = made.getsockname()[1]
    assert running.ask(f"proxy/{port}/").status == 404


@pytest.mark.parametrize("path", ["proxy/localhost:80/", "proxy/10.0.0.1:80/"])
def test_other_hosts_are_not_led_to(running: Job, path: str) -> None:
    assert running.ask(path).status == 404


def test_tensorboard_and_engines_end_with_the_session(
    tmp_path: Path, slurm: LocalSlurm
) -> None:
    login = {
        "PATH": f"{slurm.bin}:{os.environ['PATH']}",
        "SLURM_JOB_ID": "98",
        "SLURM_JOB_PARTITION": "cpu",
    }
    (slurm.top / "cancelled").unlink(missing_ok=True)
    with job(tmp_path, login) as started:
        (tmp_path / "workspace/logs").mkdir(parents=True)
        board = tell(started, "kqi/tensorboards", logdir="logs").json()
        assert board["number"] == 1
        assert send(started, "kqi/clusters", engines="1", nodes="1").status == 303
        until(lambda: shows(started, "1 of 1"), 60)
        assert started.ask("api/shutdown", "POST", {}).status == 200
        assert started.ends() == 0
    until(lambda: not slurm.runs(), 40)
    assert slurm.said("cancelled")
    own = str(tmp_path)
    assert not [pid for pid in processes("tensorboard_process") if of(pid, own)]
    assert not [pid for pid in processes("engines_process") if of(pid, own)]


def of(pid: int, top: str) -> bool:
    try:
        return top.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
