"""Sessions as a hub knows them, written into its database while it does not run.

Their jobs are real and only sleep; the pages of all are answered by one small server.
"""

import json
import sqlite3
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

QUEUE = "cpu"


class _Page(BaseHTTPRequestHandler):
    """Answer everything as a notebook server answers a probe."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = b"{}"
        self.send_response(200)
        self.send_header("X-JupyterHub-Version", "6.1.1")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    """The server; whoever hangs up before the answer is no news."""

    def handle_error(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def one_server_for_all() -> Iterator[int]:
    """Run the server; give its port."""
    with _Server(("127.0.0.1", 0), _Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()


def sleeping_jobs(person: str, account: str, names: Sequence[str]) -> list[int]:
    """Submit a job that sleeps for each name; the last ones may wait for room."""
    found = []
    for name in names:
        ran = subprocess.run(
            [
                *("runuser", "-u", person, "--", "sbatch", "--parsable"),
                *("-p", QUEUE, "-A", account, "-J", name, "-o", "/dev/null"),
                *("--mem=10M", "-t", "60", "--wrap", "sleep 3600"),
            ],
            capture_output=True,
            text=True,
            check=True,
            cwd="/",
        )
        found.append(int(ran.stdout))
    return found


def cancel_all(person: str) -> None:
    subprocess.run(["runuser", "-u", person, "--", "scancel", "-u", person], check=True)


def write_servers(
    database: Path,
    person: str,
    port: int,
    states: dict[str, dict[str, Any]],
    options: dict[str, Any],
) -> None:
    """Write running servers of a person, whom the hub knows already."""
    now = datetime.now(UTC).replace(tzinfo=None).isoformat(" ")
    with closing(sqlite3.connect(database)) as hub, hub:
        [user] = hub.execute(
            "SELECT id FROM users WHERE name = ?", (person,)
        ).fetchone()
        for name, state in states.items():
            base = f"/user/{person}/{name}/"
            added = hub.execute(
                "INSERT INTO servers (proto, ip, port, base_url, cookie_name)"
                " VALUES ('http', '127.0.0.1', ?, ?, ?)",
                (port, base, f"jupyterhub-user-{person}"),
            )
            hub.execute(
                "INSERT INTO spawners (user_id, server_id, state, name, started,"
                " last_activity, user_options) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    *(user, added.lastrowid, json.dumps(state), name, now, now),
                    json.dumps(options),
                ),
            )
