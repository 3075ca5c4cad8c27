"""git push and pull in a session with a stored token: the real Git, a real server."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from kqi_hub.runner.git_token import (
    forget_order,
    forget_orders,
    main,
    token_environment,
)
from kqi_hub.runner.order import read_order
from tests.adapters.runner.order_file import JOB, order, silent, write_order
from tests.fakes.git_lab import GitServer, git, git_over_https, make_repository

TOKEN = "s3cret:with @ signs % and 'quotes'"


@dataclass
class Session:
    """A clone in a workspace, and how programs of the session run Git in it."""

    top: Path
    server: GitServer
    bare: Path
    environment: dict[str, str]

    @property
    def clone(self) -> Path:
        return self.top / "workspace"

    def choose(
        self, token: str = TOKEN, may_push: object = True, url: str = ""
    ) -> Path:
        """Begin a session with these choices."""
        told = order(
            git={"user": "alice", "password": token},
            repository={"url": url or f"{self.server.url}/model.git", "ref": ""},
            may_push=may_push,
        )
        file = write_order(self.top, told)
        plain = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.top / "home"),
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_SSL_CAINFO": str(self.server.certificate),
            "GIT_AUTHOR_NAME": "a",
            "GIT_AUTHOR_EMAIL": "a@b.c",
            "GIT_COMMITTER_NAME": "a",
            "GIT_COMMITTER_EMAIL": "a@b.c",
        }
        self.environment = token_environment(read_order(file), plain)
        return file

    def git(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        folder = self.clone if self.clone.is_dir() else self.top
        return subprocess.run(
            ["git", *words],
            cwd=folder,
            env=self.environment | more,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def cloned(self) -> None:
        done = self.git("clone", f"{self.server.url}/model.git", str(self.clone))
        assert done.returncode == 0, done.stderr

    def pushed(self) -> subprocess.CompletedProcess[str]:
        assert self.git("commit", "--allow-empty", "-m", "mine").returncode == 0
        return self.git("push")


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    served, top = tmp_path / "served", tmp_path / "alice"
    for folder in (served, top, top / "home"):
        folder.mkdir()
    repository = make_repository(served)
    git(repository.path, "config", "http.receivepack", "true")
    with git_over_https(served, TOKEN) as server:
        yield Session(top, server, repository.path, {})


def held_in(folder: Path, secret: str, but: Path) -> list[Path]:
    """Return the files below a folder with a secret in them, in any usual writing."""
    words = [secret.encode(), b"s3cret"]
    return [
        file
        for file in folder.rglob("*")
        if file.is_file()
        and file != but
        and any(word in file.read_bytes() for word in words)
    ]


def test_a_commit_is_pushed_and_pulled_with_the_stored_token(session: Session) -> None:
    file = session.choose()
    session.cloned()
    done = session.pushed()
    assert done.returncode == 0, done.stderr
    mine = session.git("rev-parse", "HEAD").stdout.strip()
    assert git(session.bare, "rev-parse", "trunk") == mine
    assert session.git("pull").returncode == 0
    # Nowhere but in the session's own file, of which nobody else reads.
    assert held_in(session.top, TOKEN, file) == []
    assert file.stat().st_mode & 0o777 == 0o600
    assert "s3cret" not in str(session.environment)


def test_helpers_of_the_persons_are_never_told_the_token(session: Session) -> None:
    kept = session.top / "home/kept"
    config = session.top / "home/.gitconfig"
    config.write_text(f"[credential]\n\thelper = store --file={kept}\n")
    file = session.choose()
    session.cloned()
    session.git("config", "credential.helper", f"store --file={kept}")
    assert session.pushed().returncode == 0
    assert not kept.exists()
    assert held_in(session.top, TOKEN, file) == []


def test_the_command_line_of_the_helper_has_no_token(session: Session) -> None:
    session.choose()
    session.cloned()
    traced = session.git("ls-remote", GIT_TRACE="1", GIT_CURL_VERBOSE="0")
    assert "kqi_hub.runner.git_token" in traced.stderr
    assert "s3cret" not in traced.stderr


def test_a_wrong_token_is_said_to_be_refused(session: Session) -> None:
    session.choose()
    session.cloned()
    session.choose("an old one")
    for _ in range(2):
        done = session.pushed()
        assert done.returncode != 0
        assert f"{session.server.url} refused the token that you stored" in done.stderr
        assert "Store a new one" in done.stderr
        assert "an old one" not in done.stderr


def test_after_the_session_there_is_no_token(session: Session) -> None:
    file = session.choose()
    session.cloned()
    forget_order(file, silent)
    done = session.pushed()
    assert done.returncode != 0
    assert "has no token" in done.stderr
    assert "start the notebook again" in done.stderr


@pytest.mark.parametrize("chosen", [False, None, "yes", 1])
def test_without_the_choice_git_has_no_token(session: Session, chosen: object) -> None:
    file = session.choose(may_push=chosen)
    assert "GIT_CONFIG_COUNT" not in session.environment
    done = session.git("ls-remote", f"{session.server.url}/model.git")
    assert done.returncode != 0
    assert answered(file, session.server.url.removeprefix("https://")) == ""


def answered(file: Path, host: str, **more: str) -> str:
    """Ask the helper as Git does."""
    asked = {"protocol": "https", "host": host, **more}
    done = subprocess.run(
        [sys.executable, "-I", "-m", "kqi_hub.runner.git_token", str(file), "get"],
        input="".join(f"{name}={value}\n" for name, value in asked.items()),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_no_other_server_is_told_the_token(session: Session) -> None:
    file = session.choose(url="https://Git.example.org/a/b.git")
    assert answered(file, "git.example.org").startswith("username=alice\npassword=s3")
    assert answered(file, "git.example.org", username="alice")
    for host in ("example.org", "git.example.org.evil", "git.example.org:8443", ""):
        assert answered(file, host) == "", host
    assert answered(file, "git.example.org", protocol="http") == ""
    assert answered(file, "git.example.org", username="somebody") == ""
    # Git itself asks us for that host alone.
    done = session.git("ls-remote", f"{session.server.url}/model.git")
    assert done.returncode != 0
    assert "KQI Hub" not in done.stderr


@pytest.mark.parametrize(
    "url", ["git@git.example.org:a/b.git", "ssh://git@h/x", "/tmp/x.git", "file:///x"]
)
def test_what_takes_no_token_is_told_none(session: Session, url: str) -> None:
    session.choose(url=url)
    assert "GIT_CONFIG_COUNT" not in session.environment


@pytest.mark.parametrize("token", ["a\nhost=evil", "a\r\nb\n"])
def test_a_token_that_git_cannot_be_told_is_not_told(
    session: Session, token: str
) -> None:
    file = session.choose(token, url="https://h/x.git")
    assert answered(file, "h") == ""


def test_what_a_person_told_git_in_this_way_stays(session: Session) -> None:
    session.choose()
    file = session.top / "kqi/secrets" / JOB
    theirs = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "user.name",
        "GIT_CONFIG_VALUE_0": "Mia",
    }
    found = token_environment(read_order(file), theirs)
    assert (found["GIT_CONFIG_COUNT"], found["GIT_CONFIG_VALUE_0"]) == ("3", "Mia")
    session.environment |= found
    assert session.git("config", "user.name").stdout == "Mia\n"
    session.cloned()
    odd = token_environment(read_order(file), {"GIT_CONFIG_COUNT": "٣x"})
    assert odd["GIT_CONFIG_COUNT"] == "2"


def test_what_a_killed_session_left_goes_with_the_next_start(tmp_path: Path) -> None:
    mine = write_order(tmp_path, order())
    for name in ("nb-12-" + "b" * 26, "nb-123-" + "c" * 26, "training-12-x"):
        mine.with_name(name).write_text("secret")
    mine.with_name("nb-12-link").symlink_to(mine)
    forget_orders(mine, 12, silent)
    names = {file.name for file in mine.parent.iterdir()}
    assert names == {mine.name, "nb-123-" + "c" * 26, "training-12-x"}


def test_secrets_that_cannot_be_removed_are_said(tmp_path: Path) -> None:
    said: list[str] = []
    (tmp_path / "nb-12-x").mkdir()
    forget_order(tmp_path / "nb-12-x", said.append)
    forget_order(tmp_path / "gone", said.append)
    assert len(said) == 1
    assert "stay" in said[0]


@pytest.mark.parametrize("words", [[], ["x"], ["x", "get", "more"]])
def test_the_helper_says_how_it_is_run(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 64
    assert "get|store|erase" in capsys.readouterr().err
