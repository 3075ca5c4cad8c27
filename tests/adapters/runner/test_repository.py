"""Repositories of notebooks, with the real Git."""

import os
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from kqi_hub.runner.repository import CloneFailed, Source, bring
from tests.adapters.runner.order_file import silent

WHO = {
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@b.c",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@b.c",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "PATH": os.environ["PATH"],
}


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *words],
        env=WHO,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def commit(folder: Path, text: str) -> str:
    (folder / "file").write_text(text)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", text)
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    folder = tmp_path / "origin" / "project.git"
    folder.mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main")
    commit(folder, "first")
    git(folder, "tag", "v1")
    commit(folder, "second")
    git(folder, "checkout", "-q", "-b", "topic/x")
    commit(folder, "topic")
    git(folder, "checkout", "-q", "main")
    return folder


def brought(origin: Path, tmp_path: Path, ref: str = "") -> Path:
    return bring(Source(str(origin), ref), tmp_path / "git", WHO, silent)


@pytest.mark.parametrize(
    ("ref", "text", "branch"),
    [
        ("", "second", "main"),
        ("main", "second", "main"),
        ("topic/x", "topic", "topic/x"),
        ("v1", "first", ""),
    ],
)
def test_branch_or_tag_is_checked_out(
    origin: Path, tmp_path: Path, ref: str, text: str, branch: str
) -> None:
    clone = brought(origin, tmp_path, ref)
    assert clone == tmp_path / "git" / "project"
    assert (clone / "file").read_text() == text
    assert git(clone, "branch", "--show-current") == branch


@pytest.mark.parametrize("length", [40, 10])
def test_commit_is_checked_out(origin: Path, tmp_path: Path, length: int) -> None:
    first = git(origin, "rev-parse", "v1")
    clone = brought(origin, tmp_path, first[:length])
    assert git(clone, "rev-parse", "HEAD") == first


def test_submodules_come_along(origin: Path, tmp_path: Path) -> None:
    part = tmp_path / "origin" / "part"
    part.mkdir()
    git(part, "init", "-q", "-b", "main")
    commit(part, "inside")
    git(origin, "-c", "protocol.file.allow=always", "submodule", "add", str(part), "p")
    commit(origin, "with a part")
    surroundings = WHO | {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "protocol.file.allow",
        "GIT_CONFIG_VALUE_0": "always",
    }
    source = Source(str(origin))
    clone = bring(source, tmp_path / "git", surroundings, silent)
    assert (clone / "p" / "file").read_text() == "inside"


def test_clone_that_is_there_is_left_as_it_is(origin: Path, tmp_path: Path) -> None:
    clone = brought(origin, tmp_path)
    (clone / "file").write_text("my work")
    said: list[str] = []
    bring(Source(str(origin), "topic/x"), tmp_path / "git", WHO, said.append)
    assert (clone / "file").read_text() == "my work"
    assert "left as it is" in said[0]


@pytest.mark.parametrize("ref", ["none", "f" * 40, "../x", "$(id)", "a b", "@{-1}"])
def test_ref_that_is_not_there_leaves_nothing_behind(
    origin: Path, tmp_path: Path, ref: str
) -> None:
    with pytest.raises(CloneFailed, match="no branch, tag or commit"):
        brought(origin, tmp_path, ref)
    assert not list((tmp_path / "git").iterdir())


@pytest.mark.parametrize(
    ("url", "ref"),
    [
        ("--upload-pack=touch x/a", ""),
        ("https://h/a\nb", ""),
        ("https://h/a", "--exec=x"),
        ("https://h/a", "x\ny"),
        ("https://h/..", ""),
        ("https://h/.git", ""),
        ("", ""),
        ("https://[::1/a", ""),
        ("ext::sh -c touch% x", ""),
    ],
)
def test_hostile_address_is_refused(tmp_path: Path, url: str, ref: str) -> None:
    with pytest.raises(CloneFailed):
        bring(Source(url, ref), tmp_path / "git", WHO, silent)
    assert not (tmp_path / "git").exists() or not list((tmp_path / "git").iterdir())


def test_program_in_an_address_is_not_run(tmp_path: Path) -> None:
    url = f"ext::sh -c 'touch {tmp_path}/owned' repo"
    with pytest.raises(CloneFailed):
        bring(Source(url), tmp_path / "git", WHO, silent)
    assert not (tmp_path / "owned").exists()


class GuardedHost(BaseHTTPRequestHandler):
    """Refuses everybody, and notes who they say that they are."""

    asked: list[str]

    def do_GET(self) -> None:
        authorization = self.headers.get("Authorization", "")
        self.asked.append(authorization)
        self.send_response(401 if not authorization else 403)
        self.send_header("WWW-Authenticate", 'Basic realm="x"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def host() -> Iterator[tuple[str, list[str]]]:
    GuardedHost.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), GuardedHost)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", GuardedHost.asked
    server.shutdown()
    server.server_close()
    thread.join()


def test_credentials_reach_the_host_and_stay_nowhere(
    host: tuple[str, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, asked = host
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    said: list[str] = []
    source = Source(f"{url}/group/project.git", "", ("me@site", "p:w/ü d"))
    with pytest.raises(CloneFailed, match="could not be cloned"):
        bring(source, tmp_path / "git", WHO, said.append)
    # base64 of me@site:p:w/ü d
    assert "Basic bWVAc2l0ZTpwOncvw7wgZA==" in asked
    assert not list(tmp_path.glob("kqi-git-*"))
    assert not any("p:w" in line for line in said)


def test_password_in_an_address_is_not_said(tmp_path: Path) -> None:
    said: list[str] = []
    source = Source("http://me:hush@127.0.0.1:9/a/project.git")
    with pytest.raises(CloneFailed) as caught:
        bring(source, tmp_path / "git", WHO, said.append)
    assert "hush" not in str(caught.value) + "".join(said)
