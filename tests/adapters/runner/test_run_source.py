"""The source of a run: its commit, its submodules, credentials, certificates."""

import os
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.adapters.runner.run_job import NAME, order, run_job
from tests.adapters.runner.test_repository import commit, git


@pytest.fixture
def origin(tmp_path: Path) -> tuple[Path, list[str]]:
    """Return a bare repository with a submodule, and its commits."""
    part, work = tmp_path / "part", tmp_path / "work"
    for folder in (part, work):
        folder.mkdir()
        git(folder, "init", "-q", "-b", "main")
    commit(part, "of the submodule")
    commits = [commit(work, "first")]
    git(work, "-c", "protocol.file.allow=always", "submodule", "add", str(part), "sub")
    commits.append(commit(work, "second"))
    bare = tmp_path / "bare.git"
    git(tmp_path, "clone", "-q", "--bare", str(work), str(bare))
    return bare, commits


def at(origin: Path, commit: str = "", ref: str = "") -> dict[str, str]:
    return {"url": str(origin), "ref": ref, "commit": commit}


def test_source_is_there_at_its_commit_and_the_command_runs_in_it(
    tmp_path: Path, origin: tuple[Path, list[str]]
) -> None:
    bare, (first, _) = origin
    # A branch that is called like the commit leads elsewhere.
    git(bare, "branch", "-q", first, "main")
    done = run_job(tmp_path, order("cat file; pwd", source=at(bare, first, "main")))
    assert "first/kqi/git\n" in done.log
    assert git(done.folder / "git", "rev-parse", "HEAD") == first
    assert "cloning" in done.result["phases"]


def test_submodules_come_along(tmp_path: Path, origin: tuple[Path, list[str]]) -> None:
    bare, (_, second) = origin
    home = tmp_path / ".gitconfig"
    home.write_text('[protocol "file"]\n\tallow = always\n')
    done = run_job(tmp_path, order("cat sub/file", source=at(bare, second)))
    assert "of the submodule" in done.log


@pytest.mark.parametrize("missing", [{"commit": "1" * 40}, {"ref": "no-such"}])
def test_a_source_that_is_not_there_ends_the_run(
    tmp_path: Path, origin: tuple[Path, list[str]], missing: dict[str, str]
) -> None:
    done = run_job(tmp_path, order("true", source=at(origin[0], **missing)))
    assert done.code == 69
    assert "the source was not brought" in done.result["why"]
    assert not list(done.folder.glob(".git-*"))


def test_a_folder_that_a_broken_off_job_has_left_is_cloned_anew(
    tmp_path: Path, origin: tuple[Path, list[str]]
) -> None:
    left = tmp_path / "kqi" / "training" / "12" / "git"
    left.mkdir(parents=True)
    (left / "old").write_text("")
    done = run_job(tmp_path, order("ls", source=at(origin[0])))
    assert done.code == 0, done.log
    assert not (left / "old").exists()


def test_credentials_are_nowhere_afterwards_and_in_no_command_line(
    tmp_path: Path,
) -> None:
    seen = tmp_path / "seen"
    tools = tmp_path / "bin"
    tools.mkdir()
    fake = tools / "git"
    # What the real one is told, and the modes of the file that it is told in.
    fake.write_text(
        "#!/bin/sh\n"
        f'echo "$@" "${{GIT_SSL_NO_VERIFY-unset}}" >> {seen}\n'
        'for one in "$@"; do case "$one" in *--file=*) '
        f'stat -c %a "${{one##*--file=}}" >> {seen}; '
        f'cat "${{one##*--file=}}" >> {seen}.secret;; esac; done\nexit 1\n'
    )
    fake.chmod(0o755)
    told = order(
        "true",
        source=at(Path("x"), "a" * 40) | {"url": "https://git.example/x.git"},
        git={"user": "me", "password": "the-p@ssword"},
        control={"KQI_TOKEN": "the-token"},
    )
    done = run_job(
        tmp_path, told, PATH=f"{tools}:{os.environ['PATH']}", GIT_SSL_NO_VERIFY="1"
    )
    assert done.code == 69
    assert "https://me:the-p%40ssword@git.example" in (
        Path(f"{seen}.secret").read_text()
    )
    said = seen.read_text()
    assert "http.sslVerify=true" in said
    assert "\n600\n" in said
    assert " unset\n" in said
    assert "ssword" not in said + done.log
    for file in done.folder.rglob("*"):
        text = file.read_text() if file.is_file() else ""
        assert "ssword" not in text and "the-token" not in text, file
    assert not (tmp_path / "kqi" / "secrets" / NAME).exists()


@pytest.fixture
def unknown_certificate(tmp_path: Path) -> Iterator[int]:
    """Return the port of an https server whose certificate nobody has signed."""
    key, signed = tmp_path / "key", tmp_path / "signed"
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1",
            "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
            "-keyout", str(key), "-out", str(signed),
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    server = ThreadingHTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(signed, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_server_with_an_unknown_certificate_is_not_trusted(
    tmp_path: Path, unknown_certificate: int
) -> None:
    (tmp_path / ".gitconfig").write_text("[http]\n\tsslVerify = false\n")
    address = f"https://127.0.0.1:{unknown_certificate}/x.git"
    told = order("true", source=at(Path("x")) | {"url": address})
    done = run_job(tmp_path, told, GIT_SSL_NO_VERIFY="1")
    assert done.code == 69
    assert "certificate" in done.log
