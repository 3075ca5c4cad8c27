"""`git ls-remote` against real repositories behind Git's own HTTP backend."""

import asyncio
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kqi_hub.domain.credentials import Secret
from kqi_hub.domain.errors import GitUnavailable, InvalidInput
from kqi_hub.storage import git_remote
from kqi_hub.storage.git_remote import GitRemote, read_refs
from tests.fakes.git_lab import (
    GitServer,
    Repository,
    git_over_https,
    hanging_server,
    make_repository,
)

TOKEN = "s3cret/with: odd@chars"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("git")


@pytest.fixture(scope="module")
def repository(folder: Path) -> Repository:
    return make_repository(folder)


@pytest.fixture(scope="module")
def server(folder: Path, repository: Repository) -> Iterator[GitServer]:
    with git_over_https(folder, password=TOKEN) as server:
        yield server


def remote(server: GitServer, timeout_s: float = 15) -> GitRemote:
    return GitRemote(timeout_s=timeout_s, more=_trusting(server.certificate))


def _trusting(certificate: Path) -> dict[str, str]:
    return {"GIT_SSL_CAINFO": str(certificate)}


async def test_a_private_repository_shows_its_tips_to_the_one_with_the_token(
    server: GitServer, repository: Repository
) -> None:
    url = f"{server.url}/model.git"
    refs = await remote(server).refs(url, Secret("mia", TOKEN), trusted=True)
    assert refs.branches == {"trunk": repository.tip, "old": repository.old}
    # A tag with a text of its own stands for its commit.
    assert refs.tags == {"v1": repository.old, "v2": repository.tip}
    assert (refs.default, refs.head) == ("trunk", repository.tip)


@pytest.mark.parametrize("secret", [None, Secret("mia", "wrong")])
async def test_without_the_right_token_the_answer_says_what_to_do(
    server: GitServer, secret: Secret | None
) -> None:
    with pytest.raises(InvalidInput, match=r"does not show.*store a token"):
        await remote(server).refs(f"{server.url}/model.git", secret, trusted=True)


async def test_an_absent_repository_is_called_so(server: GitServer) -> None:
    with pytest.raises(InvalidInput, match="no such repository"):
        await remote(server).refs(
            f"{server.url}/other.git", Secret("mia", TOKEN), trusted=True
        )


async def test_a_certificate_that_nobody_vouches_for_is_refused(
    server: GitServer,
) -> None:
    before = len(server.seen)
    with pytest.raises(GitUnavailable, match="certificate"):
        await GitRemote().refs(
            f"{server.url}/model.git", Secret("mia", TOKEN), trusted=True
        )
    assert len(server.seen) == before, "the token was not sent"


async def test_a_server_that_hangs_is_given_up_and_leaves_no_process() -> None:
    with hanging_server() as place:
        began = time.monotonic()
        with pytest.raises(GitUnavailable, match=r"did not answer within 0\.5 s"):
            await GitRemote(timeout_s=0.5).refs(f"http://{place}/x", None, True)
        assert time.monotonic() - began < 5
        assert not _processes_that_name(place)


async def test_a_question_that_is_given_up_leaves_no_process() -> None:
    with hanging_server() as place:
        asked = GitRemote().refs(f"https://{place}/x", None, True)
        task = asyncio.create_task(asked)
        await _until_asked(place)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not _processes_that_name(place)


async def test_the_token_is_in_no_command_line_and_in_no_environment(
    folder: Path,
) -> None:
    with hanging_server() as place:
        asked = GitRemote().refs(f"https://{place}/x", Secret("mia", TOKEN), True)
        task = asyncio.create_task(asked)
        await _until_asked(place)
        for process in _processes_that_name(place):
            for part in ("cmdline", "environ"):
                assert b"s3cret" not in (process / part).read_bytes()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_nothing_is_left_in_the_temporary_folder(
    server: GitServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    url = f"{server.url}/model.git"
    await remote(server).refs(url, Secret("mia", TOKEN), trusted=True)
    assert not any(tmp_path.iterdir())  # noqa: ASYNC240 - a test's own folder


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::]"])
async def test_strangers_cannot_have_the_portal_knock_at_its_own_doors(
    host: str,
) -> None:
    with pytest.raises(InvalidInput, match="own machine"):
        await GitRemote().refs(f"http://{host}:8081/hub/api", None, trusted=False)


@pytest.mark.parametrize(
    "url", ["/etc", "file:///etc", "ext::sh -c id", "ssh://h/x", "-x", "fd::17/foo"]
)
async def test_nothing_but_a_web_address_is_asked(url: str) -> None:
    with pytest.raises(InvalidInput, match="https, http and git"):
        await GitRemote().refs(url, None, trusted=True)


async def test_a_server_of_the_site_may_send_on_a_stranger_may_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The stranger is on this machine here, which is refused before it is asked.
    monkeypatch.setattr(git_remote, "_refuse_own_network", _whoever_it_is)
    repository = await asyncio.to_thread(make_repository, tmp_path)
    with git_over_https(tmp_path) as server:
        url = f"{server.url}/moved/model.git"
        refs = await remote(server).refs(url, None, trusted=True)
        assert refs.head == repository.tip
        with pytest.raises(InvalidInput, match="has moved"):
            await remote(server).refs(url, None, trusted=False)


async def _whoever_it_is(host: str) -> tuple[str, ...]:
    """Refuse nobody, and say nothing of where they are."""
    return ()


@pytest.mark.parametrize(
    "url",
    [
        # Git decodes these before it looks for the server: it is 127.0.0.1.
        "git://127.0.0.1%3A8081%2Fx@example.org/y",
        "git://127.0.0.1%2Fx@example.org/y",
        "git://%31%32%37.0.0.1/y",
        "git://mia@example.org/y",
        "http://127.0.0.1\\@example.org/y",
        "http://127.0.0.1;@example.org/y",
        "https://%6cocalhost/y",
        "https://localhost./y",
    ],
)
@pytest.mark.parametrize("trusted", [True, False])
async def test_an_address_that_can_be_read_two_ways_is_not_asked(
    url: str, trusted: bool
) -> None:
    with pytest.raises(InvalidInput, match="not the address of a Git repository"):
        await GitRemote().refs(url, None, trusted)


async def test_git_asks_the_address_that_was_looked_at_whatever_the_name_says_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def elsewhere(_host: str) -> tuple[str, ...]:
        return ("127.0.0.1",)

    # No name server knows this name: Git reaches it by what was found before, or never.
    monkeypatch.setattr(git_remote, "_refuse_own_network", elsewhere)
    with hanging_server() as place:
        port = place.rpartition(":")[2]
        url = f"http://repositories.invalid:{port}/x"
        with pytest.raises(GitUnavailable, match="did not answer within"):
            await GitRemote(timeout_s=2).refs(url, None, trusted=False)


async def test_a_missing_git_is_said(tmp_path: Path) -> None:
    program = str(tmp_path / "git")
    with pytest.raises(GitUnavailable, match="cannot be run"):
        await GitRemote(program).refs("https://localhost/x", None, trusted=True)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"nothing\n",
        b"zz\trefs/heads/x\n",
        b"\xff\xfe\trefs/heads/x\n",
        b"1111111111111111111111111111111111111111\trefs/heads/a\x1b[2Jb\n",
        b"1111111111111111111111111111111111111111\trefs/pull/1\n",
    ],
)
def test_lines_that_are_no_tips_are_left(answer: bytes) -> None:
    assert read_refs(answer).branches == {}


def _processes_that_name(place: str) -> list[Path]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes()
        except OSError:
            continue
        if place.encode() in line and int(process.name) != os.getpid():
            found.append(process)
    return found


async def _until_asked(place: str) -> None:
    async with asyncio.timeout(20):
        while not await asyncio.to_thread(_processes_that_name, place):  # noqa: ASYNC110 - /proc tells nobody
            await asyncio.sleep(0.05)
