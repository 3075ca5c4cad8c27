"""What is offered of Git servers over REST; a server that hangs blocks no form."""

import time
from urllib.parse import quote

import pytest

from kqi_hub.domain.git_refs import RemoteCommit, RemoteRepository
from tests.adapters.handlers.conftest import Client
from tests.fakes.git import OLDER, TIP, HangingRemote
from tests.fakes.site import FakeSite

ADDRESS = "https://github.com/lab/model.git"
URL = quote(ADDRESS, safe="")
COMMIT = "api/v1/git/commit"


async def test_the_sites_git_services_are_listed_without_registries(
    ask: Client,
) -> None:
    await ask("api/v1/me/credentials/github", "mia", "PUT", {"value": "ghp_1"})
    found = (await ask("api/v1/git/servers", "mia")).json["servers"]
    assert [(one["name"], one["is_stored"]) for one in found] == [
        ("github", True),
        ("lab", False),
    ]


async def test_branches_have_the_default_one_and_tags(ask: Client) -> None:
    found = (await ask(f"api/v1/git/branches?url={URL}", "mia")).json
    assert [one["name"] for one in found["branches"]] == ["main", "old"]
    assert found["tags"][0]["name"] == "v1"
    assert (found["default_branch"], found["why"]) == ("main", "")


async def test_repositories_need_a_token_and_say_so(
    site: FakeSite, ask: Client
) -> None:
    site.git.listed = (RemoteRepository("lab/model", "https://x/y.git", "main"),)
    found = (await ask("api/v1/git/repositories?server=github", "mia")).json
    assert found["repositories"] == []
    assert "no token for github" in found["why"]
    await ask("api/v1/me/credentials/github", "mia", "PUT", {"value": "ghp_1"})
    found = (await ask("api/v1/git/repositories?server=github&q=mod", "mia")).json
    assert [one["name"] for one in found["repositories"]] == ["lab/model"]
    assert "ghp_1" not in str(found)


async def test_commits_have_title_and_time(site: FakeSite, ask: Client) -> None:
    site.git.history = (RemoteCommit(TIP, "second", "Mia", 1_795_255_200.5),)
    found = (await ask(f"api/v1/git/commits?url={URL}&ref=main", "mia")).json
    [commit] = found["commits"]
    assert (commit["title"], commit["at"]) == ("second", 1_795_255_200)


@pytest.mark.parametrize(
    ("chosen", "commit"),
    [
        ({}, TIP),
        ({"ref": "old"}, OLDER),
        ({"ref": "old", "commit": "9" * 40}, "9" * 40),
    ],
)
async def test_the_commit_of_a_job_submitted_now_is_told(
    ask: Client, chosen: dict[str, str], commit: str
) -> None:
    body = {"url": ADDRESS, **chosen}
    assert (await ask(COMMIT, "mia", "POST", body)).json == {"commit": commit}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"url": ""},
        {"url": "file:///etc"},
        {"url": ADDRESS, "ref": "nothing"},
        {"url": ADDRESS, "commit": "zzzz"},
        {"url": ADDRESS, "commit": "a" * 41},
        {"url": ADDRESS, "ref": 3},
        {"url": [ADDRESS]},
        {"url": ADDRESS, "more": "x"},
    ],
)
async def test_a_commit_that_cannot_be_meant_is_refused(
    ask: Client, body: dict[str, object]
) -> None:
    assert (await ask(COMMIT, "mia", "POST", body)).status == 400


@pytest.mark.parametrize("path", ["branches", "commits", "repositories"])
async def test_a_form_in_which_nothing_is_chosen_is_told_what_to_choose(
    ask: Client, path: str
) -> None:
    answer = await ask(f"api/v1/git/{path}", "mia")
    assert answer.status == 200
    assert answer.json["why"]


@pytest.mark.parametrize(
    "path",
    [
        "branches?url=file%3A%2F%2F%2Fetc",
        "branches?url=ext%3A%3Ash%20-c%20id",
        "branches?url=--upload-pack%3Did",
        "branches?url=%00",
        f"branches?url={'x' * 1001}",
        f"commits?url={URL}&ref=-x",
        f"commits?url={URL}&ref=a..b",
    ],
)
async def test_what_makes_no_sense_is_refused(ask: Client, path: str) -> None:
    assert (await ask(f"api/v1/git/{path}", "mia")).status == 400


@pytest.mark.parametrize("name", ["ngc", "nothing", "..%2Fx"])
async def test_a_service_that_the_site_has_not_is_not_there(
    ask: Client, name: str
) -> None:
    answer = await ask(f"api/v1/git/repositories?server={name}", "mia")
    assert answer.status == 404


async def test_a_server_that_hangs_is_answered_for_in_time(
    site: FakeSite, ask: Client
) -> None:
    site.git_refs.remote = HangingRemote()
    began = time.monotonic()
    answer = await ask(f"api/v1/git/branches?url={URL}", "mia")
    assert time.monotonic() - began < 5
    assert answer.status == 200
    assert "did not answer" in answer.json["why"]
    assert answer.json["branches"] == []
