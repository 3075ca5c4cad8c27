"""Real repositories behind real Git servers on loopback, one of them hanging."""

import base64
import os
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

BACKEND = "/usr/lib/git-core/git-http-backend"
_QUIET = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "test",
    "GIT_AUTHOR_EMAIL": "test@example.org",
    "GIT_COMMITTER_NAME": "test",
    "GIT_COMMITTER_EMAIL": "test@example.org",
}


def git(folder: Path, *words: str) -> str:
    """Run Git in a folder and return what it says."""
    done = subprocess.run(
        ("git", "-C", str(folder), *words),
        env={"PATH": os.environ["PATH"], **_QUIET},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@dataclass(frozen=True)
class Repository:
    """A bare repository: default branch `trunk`, branch `old`, tags v1 and v2."""

    path: Path
    tip: str
    old: str


def make_repository(folder: Path, name: str = "model") -> Repository:
    """Make one with two commits."""
    work = folder / f"{name}-work"
    work.mkdir()
    git(work, "init", "--quiet", "--initial-branch=trunk")
    git(work, "commit", "--quiet", "--allow-empty", "--message=first")
    old = git(work, "rev-parse", "HEAD")
    git(work, "branch", "old")
    git(work, "tag", "v1")
    git(work, "commit", "--quiet", "--allow-empty", "--message=second")
    # A tag with a text of its own is another object than the commit.
    git(work, "tag", "--annotate", "--message=release", "v2")
    tip = git(work, "rev-parse", "HEAD")
    bare = folder / f"{name}.git"
    git(folder, "clone", "--quiet", "--bare", str(work), str(bare))
    shutil.rmtree(work)
    return Repository(bare, tip, old)


@dataclass
class GitServer:
    """A server over TLS; `seen` has the Authorization header of each request."""

    url: str
    certificate: Path
    seen: list[str]


@contextmanager
def git_over_https(folder: Path, password: str = "") -> Iterator[GitServer]:
    """Serve the repositories of a folder by Git's own backend, for one token."""
    certificate, key = _certificate(folder)
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            sent = self.headers.get("Authorization", "")
            seen.append(sent)
            if password and not _is_right(sent, password):
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="git"')
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            if self.path.startswith("/moved/"):
                self.send_response(302)
                self.send_header("Location", self.path.replace("/moved/", "/", 1))
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self._by_backend()

        do_POST = do_GET  # noqa: N815 - the name is http.server's

        def _by_backend(self) -> None:
            place = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            done = subprocess.run(
                (BACKEND,),
                env={
                    **_QUIET,
                    "GIT_PROJECT_ROOT": str(folder),
                    "GIT_HTTP_EXPORT_ALL": "1",
                    "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                    "PATH_INFO": place.path,
                    "QUERY_STRING": place.query,
                    "REQUEST_METHOD": self.command,
                    "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                    "CONTENT_LENGTH": str(length),
                },
                input=body,
                capture_output=True,
                check=False,
            )
            head, _, rest = done.stdout.partition(b"\r\n\r\n")
            lines = dict(one.split(b": ", 1) for one in head.split(b"\r\n") if one)
            status = int(lines.pop(b"Status", b"200").split()[0])
            self.send_response(status)
            for name, value in lines.items():
                self.send_header(name.decode(), value.decode())
            self.send_header("Content-Length", str(len(rest)))
            self.end_headers()
            self.wfile.write(rest)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(
        server.socket,
        server_side=True,
        # In the request's own thread: a client that is slow stops nobody else.
        do_handshake_on_connect=False,
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield GitServer(f"https://localhost:{server.server_port}", certificate, seen)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def hanging_server() -> Iterator[str]:
    """Take every connection and never say a word; give the host and port."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def _is_right(sent: str, password: str) -> bool:
    said = base64.b64decode(sent.removeprefix("Basic ")).decode()
    return said.partition(":")[2] == password


def _certificate(folder: Path) -> tuple[Path, Path]:
    certificate, key = folder / "server.pem", folder / "server.key"
    subprocess.run(
        (
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
            *("-days", "2", "-keyout", str(key), "-out", str(certificate)),
        ),
        check=True,
        capture_output=True,
    )
    return certificate, key
