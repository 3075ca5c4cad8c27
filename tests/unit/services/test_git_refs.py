"""What people are offered of Git servers, and what is resolved at submission."""

import asyncio
import time
from dataclasses import replace

import pytest

from kqi_hub.domain.credentials import Kind, Secret, Service, Use
from kqi_hub.domain.errors import GitUnavailable, InvalidInput, NotFound
from kqi_hub.domain.git_refs import Refs, RemoteCommit, RemoteRepository
from kqi_hub.services.asking import MOST_OF_ONE
from kqi_hub.services.git_refs import GitRefs
from tests.fakes.account import SERVICES, FakeCredentialStore
from tests.fakes.git import OLDER, REFS, TIP, FakeRemote, HangingRemote

GITHUB = SERVICES[0]
URL = "https://github.com/lab/model.git"
TOKEN = Secret("mia", "ghp_1")


def lab(
    remote: FakeRemote | HangingRemote, offer_s: float = 5, resolve_s: float = 5
) -> GitRefs:
    return GitRefs(
        remote,
        FakeCredentialStore(),
        SERVICES,
        offer_s=offer_s,
        resolve_s=resolve_s,
    )


def with_token(git: GitRefs, person: str = "mia") -> GitRefs:
    git.credentials.put(person, GITHUB, TOKEN, 0.0)
    return git


async def test_a_branch_is_resolved_with_the_persons_own_token() -> None:
    remote = FakeRemote()
    git = with_token(lab(remote))
    assert await git.resolve("mia", URL, "old") == OLDER
    assert await git.resolve("max", URL) == TIP
    assert remote.asked == [("refs", URL, TOKEN), ("refs", URL, None)]


async def test_a_whole_commit_is_taken_without_a_question() -> None:
    git = lab(HangingRemote())
    assert await git.resolve("mia", URL, "any", "F" * 40) == "f" * 40


async def test_what_is_resolved_is_asked_anew_what_is_offered_is_kept() -> None:
    remote = FakeRemote()
    git = lab(remote)
    await git.branches("mia", URL)
    await git.branches("mia", URL)
    assert len(remote.asked) == 1
    remote.known = Refs({"main": OLDER}, {}, "main", OLDER)
    assert await git.resolve("mia", URL, "main") == OLDER


async def test_what_one_person_sees_is_not_shown_to_another() -> None:
    remote = FakeRemote()
    git = with_token(lab(remote))
    await git.branches("mia", URL)
    await git.branches("mallory", URL)
    assert [secret for _, _, secret in remote.asked] == [TOKEN, None]


async def test_a_server_that_hangs_holds_up_no_form() -> None:
    git = with_token(lab(HangingRemote(), offer_s=0.05, resolve_s=0.1))
    began = time.monotonic()
    branches = await git.branches("mia", URL)
    commits = await git.commits("mia", URL)
    repositories = await git.repositories("mia", "github")
    assert time.monotonic() - began < 2
    for offer in (branches, commits, repositories):
        assert offer.why is not None
        assert "did not answer" in offer.why.message
    with pytest.raises(GitUnavailable, match="did not answer"):
        await git.resolve("mia", URL)


async def test_one_person_cannot_take_all_the_places() -> None:
    git = lab(HangingRemote(), offer_s=5)
    urls = [f"https://github.com/lab/{n}" for n in range(MOST_OF_ONE + 1)]
    asked = [asyncio.create_task(git.branches("mia", url)) for url in urls]
    done, _ = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
    [refused] = done
    why = refused.result().why
    assert why is not None
    assert "under way" in why.message
    for task in asked:
        task.cancel()
    await asyncio.gather(*asked, return_exceptions=True)
    git.remote = FakeRemote()
    assert (await git.branches("mia", URL)).why is None


async def test_without_a_token_no_repositories_are_listed() -> None:
    offer = await lab(FakeRemote()).repositories("mia", "github")
    assert offer.found == ()
    assert offer.why is not None
    assert "no token for github" in offer.why.message


async def test_repositories_are_listed_by_a_part_of_their_names() -> None:
    listed = (RemoteRepository("lab/model", URL), RemoteRepository("lab/x", "u"))
    git = with_token(lab(FakeRemote(listed=listed)))
    assert (await git.repositories("mia", "github", "mod")).found == [listed[0]]


@pytest.mark.parametrize("name", ["ngc", "dockerhub", "nothing", "../x", ""])
async def test_what_is_no_git_service_is_not_there(name: str) -> None:
    with pytest.raises(NotFound):
        await lab(FakeRemote()).repositories("mia", name)


async def test_commits_are_those_of_the_service_or_the_tip_with_the_reason() -> None:
    history = (RemoteCommit(TIP, "second"), RemoteCommit(OLDER, "first"))
    known = lab(FakeRemote(history=history))
    assert (await known.commits("mia", URL, "main")).found == history
    alone = await known.commits("mia", "https://elsewhere.org/x.git", "old")
    assert [one.commit for one in alone.found] == [OLDER]
    assert alone.why is not None
    assert "newest commit" in alone.why.message


async def test_commits_of_a_branch_that_is_not_there_are_none() -> None:
    offer = await lab(FakeRemote()).commits("mia", "https://elsewhere.org/x", "zzz")
    assert offer.found == ()
    assert isinstance(offer.why, InvalidInput)


async def test_a_stranger_is_no_server_of_the_site() -> None:
    remote = FakeRemote()
    inner = Service("inner", Use.GIT, Kind.OTHER, "http://git.inner:3000")
    git = replace(lab(remote), services=(*SERVICES, inner))
    await git.resolve("mia", "https://elsewhere.org/x.git")
    await git.resolve("mia", "http://git.inner:3000/x.git")
    assert [how for how, _, _ in remote.asked] == ["refs elsewhere", "refs"]


async def test_an_ssh_address_elsewhere_cannot_be_asked() -> None:
    git = lab(FakeRemote())
    with pytest.raises(GitUnavailable, match=r"no SSH key of yours.*elsewhere\.org"):
        await git.resolve("mia", "git@elsewhere.org:group/x.git", "main")
    assert await git.resolve("mia", "git@github.com:group/x.git", "main") == TIP
    commit = "9" * 40
    assert await git.resolve("mia", "git@elsewhere.org:g/x.git", "", commit) == commit


async def test_servers_say_whether_a_token_is_stored_for_their_address() -> None:
    git = with_token(lab(FakeRemote()))
    moved = Service("lab", Use.GIT, Kind.GITBUCKET, "https://old.example.org")
    git.credentials.put("mia", moved, TOKEN, 0.0)
    found = {one.service.name: one.is_stored for one in await git.servers("mia")}
    assert found == {"github": True, "lab": False}


async def test_what_is_kept_grows_old() -> None:
    remote, now = FakeRemote(), [0.0]
    git = lab(remote)
    git.wall = lambda: now[0]
    await git.branches("mia", URL)
    now[0] = 31.0
    await git.branches("mia", URL)
    assert len(remote.asked) == 2
    assert REFS.branches["old"] == OLDER
