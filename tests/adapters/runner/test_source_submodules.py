"""Submodules of repositories from elsewhere: they bring nothing of this machine."""

import os
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from kqi_hub.runner.repository import CloneFailed, Source, bring
from kqi_hub.runner.runs.source import clone_source


def git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=Mia", "-c", "user.email=mia@example.org")
    return subprocess.run(
        ["git", *who, "-C", str(folder), *words],
        env=surroundings(folder), check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip


def surroundings(home: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1"}


@pytest.fixture
def stranger(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """Serve a repository over HTTP whose submodule is a folder of this machine."""
    private, work = tmp_path / "private", tmp_path / "work"
    for folder in (private, work):
        folder.mkdir()
        git(folder, "init", "--quiet")
    (private / "key").write_text("secret")
    git(private, "add", "key")
    git(private, "commit", "--quiet", "-m", "private")
    url = request.param.format(private)
    (work / ".gitmodules").write_text(f'[submodule "s"]\n\tpath = s\n\turl = {url}\n')
    git(work, "add", ".gitmodules")
    tip = git(private, "rev-parse", "HEAD")
    git(work, "update-index", "--add", "--cacheinfo", f"160000,{tip},s")
    git(work, "commit", "--quiet", "-m", "bait")
    git(work, "update-server-info")
    (work / ".git").rename(tmp_path / "model.git")
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/model.git"
        server.shutdown()


@pytest.mark.parametrize("stranger", ["{}", "file://{}"], indirect=True)
def test_a_stranger_brings_no_folder_of_this_machine_into_a_run(
    stranger: str, tmp_path: Path
) -> None:
    target = tmp_path / "git"
    with pytest.raises(CloneFailed, match="submodules"):
        clone_source(Source(stranger), target, surroundings(tmp_path), lambda _: None)
    assert not list(tmp_path.glob("git/**/key"))


@pytest.mark.parametrize("stranger", ["{}"], indirect=True)
def test_a_stranger_brings_no_folder_of_this_machine_into_a_workspace(
    stranger: str, tmp_path: Path
) -> None:
    parent = tmp_path / "workspace"
    with pytest.raises(CloneFailed, match="submodules"):
        bring(Source(stranger), parent, surroundings(tmp_path), lambda _: None)
    assert not list(parent.rglob("key"))
