"""The token of a run's command: fetched once, in its environment and nowhere else."""

import json
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from kqi_hub.runner.runs.order import TokenWay
from kqi_hub.runner.runs.token import NoToken, fetch
from tests.adapters.runner.run_job import NAME, order, run_job, start, write_secret

TICKET = "the-ticket-of-this-job"
TOKEN = "0123456789abcdef0123456789abcdef"


@dataclass
class Door:
    """A portal that answers tickets as it is told; it notes what came."""

    status: int = 200
    said: bytes = json.dumps({"token": TOKEN, "expires_at": 1}).encode()
    headers: dict[str, str] = field(default_factory=dict)
    # So many answers are 503 before.
    busy: int = 0
    asked: list[tuple[str, dict[str, Any], dict[str, str]]] = field(
        default_factory=list
    )
    server: str = ""


@pytest.fixture
def door() -> Iterator[Door]:
    door = Door()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            door.asked.append((self.path, json.loads(body), dict(self.headers)))
            door.busy -= 1
            self.send_response(503 if door.busy >= 0 else door.status)
            for name, value in door.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(door.said)))
            self.end_headers()
            self.wfile.write(door.said)

        def log_message(self, format: str, *args: object) -> None:
            """Write nothing: the test reads what was asked."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    door.server = f"http://127.0.0.1:{server.server_port}/services/portal/"
    yield door
    server.shutdown()
    server.server_close()


def way(door: Door, ticket: str = TICKET, ca_file: str = "") -> dict[str, Any]:
    return {"server": door.server, "token": {"ticket": ticket, "ca_file": ca_file}}


def test_the_command_has_a_token_and_nothing_else_has_it(
    tmp_path: Path, door: Door
) -> None:
    done = run_job(tmp_path, order('echo "${#KQI_TOKEN} of it"', **way(door)))
    assert done.code == 0, done.log
    assert "32 of it" in done.log
    [(path, asked, headers)] = door.asked
    assert path == "/services/portal/api/v1/job-token"
    assert asked == {"run": 12, "job": 77, "ticket": TICKET}
    assert {"Cookie", "Authorization"}.isdisjoint(headers)
    for file in (one for one in tmp_path.rglob("*") if one.is_file()):
        kept = file.read_bytes()
        assert TOKEN.encode() not in kept, file
        assert TICKET.encode() not in kept, file
    assert TOKEN not in done.log
    assert TICKET not in done.log


def test_nobody_overrides_it(tmp_path: Path, door: Door) -> None:
    told = order('echo "mine ${#KQI_TOKEN}"', variables={"KQI_TOKEN": "x"}, **way(door))
    assert "mine 32" in run_job(tmp_path, told).log


ANSWERS = {
    "refused": (403, b"{}", "gives none (403)"),
    "too many": (429, b"{}", "gives none (429)"),
    "no JSON": (200, b"<html>", "cannot be read"),
    "no object": (200, b"[1]", "cannot be read"),
    "no token": (200, b'{"token": null}', "is no token"),
    "a line break": (200, b'{"token": "abcdefgh\\nKQI=1"}', "is no token"),
    "too long": (200, b'{"token": "' + b"a" * 70000 + b'"}', "cannot be read"),
}


@pytest.mark.parametrize(("status", "said", "why"), ANSWERS.values(), ids=ANSWERS)
def test_any_other_answer_is_no_token_and_is_not_asked_for_again(
    door: Door, status: int, said: bytes, why: str
) -> None:
    door.status, door.said = status, said
    with pytest.raises(NoToken) as none:
        fetch(TokenWay(door.server, TICKET), 12, "77")
    assert why in str(none.value)
    assert not none.value.again
    assert len(door.asked) == 1


def test_a_redirect_is_not_followed_with_the_ticket(door: Door) -> None:
    door.status, door.headers = 307, {"Location": door.server}
    with pytest.raises(NoToken, match="307"):
        fetch(TokenWay(door.server, TICKET), 12, "77")
    assert len(door.asked) == 1


def test_without_a_token_the_run_goes_on_with_one_line_about_it(
    tmp_path: Path, door: Door
) -> None:
    door.status, door.said = 403, b"{}"
    done = run_job(tmp_path, order('echo "has [$KQI_TOKEN]"', **way(door)))
    assert done.code == 0
    assert "has []" in done.log
    assert done.log.count("no token") == 1


def test_a_portal_that_cannot_be_reached_does_not_keep_a_run(tmp_path: Path) -> None:
    nobody = Door(server="http://127.0.0.1:9/services/portal/")
    done = run_job(tmp_path, order("echo on", **way(nobody)))
    assert done.code == 0
    assert "the portal does not answer" in done.log


def test_a_portal_that_starts_anew_is_asked_again(tmp_path: Path, door: Door) -> None:
    door.busy = 1
    done = run_job(tmp_path, order('echo "${#KQI_TOKEN} of it"', **way(door)))
    assert "32 of it" in done.log
    assert len(door.asked) == 2


def test_a_job_by_hand_or_begun_again_has_no_ticket_and_says_so(
    tmp_path: Path, door: Door
) -> None:
    run_job(tmp_path, order("true", **way(door)))
    # The file of the order is gone; what was kept in the folder has no ticket.
    folder = tmp_path / "kqi" / "training" / "12"
    again = start(tmp_path / "kqi" / "secrets" / NAME, folder, SLURM_JOB_ID="78")
    log = again.communicate(timeout=60)[0]
    assert again.returncode == 0
    assert "was not submitted by the portal" in log
    assert len(door.asked) == 1


def test_where_the_site_hands_none_out_nothing_is_said(tmp_path: Path) -> None:
    done = run_job(tmp_path, order("true", token=None))
    assert "token" not in done.log


def test_what_is_kept_of_an_order_has_no_ticket(tmp_path: Path, door: Door) -> None:
    told = order("true", **way(door))
    file = write_secret(tmp_path, told)
    folder = tmp_path / "kqi" / "training" / "12"
    start(file, folder).communicate(timeout=60)
    kept = json.loads((folder / "order.json").read_text())
    assert kept["token"] == {"ticket": "", "ca_file": ""}


@pytest.mark.parametrize(
    "server",
    ["http://hub.example.org/", "http://127.0.0.1.example.org/", "ftp://x/", "hub", ""],
)
def test_a_ticket_is_never_sent_in_the_clear_over_a_network(server: str) -> None:
    with pytest.raises(NoToken, match="https"):
        fetch(TokenWay(server, TICKET), 12, "77")


@pytest.mark.parametrize("job", ["", "abc", "7 7", "-1"])
def test_outside_a_job_nothing_is_asked(door: Door, job: str) -> None:
    with pytest.raises(NoToken):
        fetch(TokenWay(door.server, TICKET), 12, job)
    assert door.asked == []


def test_certificates_are_checked(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[ssl.SSLContext] = []
    usual = ssl.create_default_context

    def noted() -> ssl.SSLContext:
        made.append(usual())
        return made[-1]

    monkeypatch.setattr(ssl, "create_default_context", noted)
    server = door.server.replace("http:", "https:")
    with pytest.raises(NoToken):
        fetch(TokenWay(server, TICKET), 12, "77")
    assert made[0].verify_mode is ssl.CERT_REQUIRED
    assert made[0].check_hostname
    assert door.asked == []


def test_a_file_of_certificates_that_is_not_there_is_no_token(door: Door) -> None:
    server = door.server.replace("http:", "https:")
    with pytest.raises(NoToken):
        fetch(TokenWay(server, TICKET, "/no/such/ca.pem"), 12, "77")
    assert door.asked == []
