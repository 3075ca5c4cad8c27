"""What can be picked of Git servers: a help for forms, which never waits long.

An answer has what is known and, in `why`, why it is not more: the form goes on.
"""

from collections.abc import Mapping
from typing import Final

from pydantic import Field

from handlers.access import Scope
from handlers.api.offer_words import said
from handlers.ask import Ask
from handlers.route import Model, Routes, Spec
from kqi_hub.domain.credentials import Kind
from kqi_hub.domain.errors import GitUnavailable, InvalidInput, NotFound
from kqi_hub.domain.git_refs import LONGEST_URL
from kqi_hub.i18n import N_

routes = Routes("/api/v1/git", tag=N_("Git"))
_WHY: Final = N_("Why there is not more; empty when this is all.")
# A form asks before anything is chosen: that is no mistake.
_NO_SERVER: Final = N_("Choose a Git service.")
_NO_ADDRESS: Final = N_("Give the address of a repository.")
_ADDRESS: Final = N_("Address of the repository, as in a clone command.")


class GitServer(Model):
    """A Git service of the site."""

    name: str = Field(description="Its name here.")
    kind: Kind = Field(description="Whose software it runs.")
    url: str = Field(description="Its address.")
    is_stored: bool = Field(description="Whether you have stored a token for it.")


class GitServerList(Model):
    """The site's Git services."""

    servers: tuple[GitServer, ...] = Field(description="In the order of the settings.")


class RepositoryQuery(Model):
    """Which repositories to list."""

    server: str = Field(
        "", max_length=100, description="The Git service's name here; empty: none yet."
    )
    q: str = Field("", max_length=100, description="A part of their names.")


class GitRepository(Model):
    """A repository."""

    name: str = Field(description="Its name at the service, such as group/name.")
    url: str = Field(description="What one clones.")
    default_branch: str = Field(description="Its default branch; empty: not known.")


class GitRepositoryList(Model):
    """Repositories that the service shows you."""

    repositories: tuple[GitRepository, ...] = Field(description="At most 100 of them.")
    why: str = Field(description=_WHY)


class BranchQuery(Model):
    """Of which repository."""

    url: str = Field("", max_length=LONGEST_URL, description=_ADDRESS)


class GitRef(Model):
    """A branch or tag."""

    name: str = Field(description="Its name.")
    commit: str = Field(description="The commit that it stands at, 40 digits.")


class GitBranchList(Model):
    """Branches and tags, in the order of their names."""

    branches: tuple[GitRef, ...] = Field(description="The branches.")
    tags: tuple[GitRef, ...] = Field(description="The tags.")
    default_branch: str = Field(description="What is taken where none is chosen.")
    why: str = Field(description=_WHY)


class CommitQuery(BranchQuery):
    """Of which repository and branch."""

    ref: str = Field("", max_length=200, description="Branch; empty: the default one.")


class GitCommit(Model):
    """A commit."""

    commit: str = Field(description="40 hexadecimal digits.")
    title: str = Field(description="The first line of its message; empty: not known.")
    author: str = Field(description="Who wrote it; empty: not known.")
    at: int | None = Field(description="When, in seconds since 1970.")


class GitCommitList(Model):
    """Commits of a branch, the newest first."""

    commits: tuple[GitCommit, ...] = Field(description="At most 30 of them.")
    why: str = Field(description=_WHY)


class WantedCommit(Model):
    """Which commit is meant: a commit wins over a branch; neither: the default."""

    url: str = Field(max_length=LONGEST_URL, description=_ADDRESS)
    ref: str = Field("", max_length=200, description="Branch or tag.")
    commit: str = Field("", max_length=40, description="A commit, or its first digits.")


class ResolvedCommit(Model):
    """The commit that a job would get."""

    commit: str = Field(description="40 hexadecimal digits.")


@routes.get("/servers", Spec(answer=GitServerList))
async def list_git_servers(ask: Ask) -> GitServerList:
    """List the site's Git services, and whether you have stored a token for each."""
    found = await ask.deps.git.servers(ask.me.person)
    return GitServerList(
        servers=tuple(
            GitServer(
                name=one.service.name,
                kind=one.service.kind,
                url=one.service.url,
                is_stored=one.is_stored,
            )
            for one in found
        )
    )


@routes.get(
    "/repositories",
    Spec(query=RepositoryQuery, answer=GitRepositoryList, errors=(NotFound,)),
)
async def list_git_repositories(ask: Ask) -> GitRepositoryList:
    """List repositories that a Git service shows you; answers within seconds."""
    wanted = ask.query(RepositoryQuery)
    if not wanted.server:
        return GitRepositoryList(repositories=(), why=ask.texts.say(_NO_SERVER))
    offer = await ask.deps.git.repositories(ask.me.person, wanted.server, wanted.q)
    return GitRepositoryList(
        repositories=tuple(
            GitRepository(name=one.name, url=one.url, default_branch=one.default)
            for one in offer.found
        ),
        why=said(offer.why, ask.texts),
    )


@routes.get(
    "/branches",
    Spec(query=BranchQuery, answer=GitBranchList, errors=(InvalidInput,)),
)
async def list_git_branches(ask: Ask) -> GitBranchList:
    """List a repository's branches and tags; answers within seconds."""
    url = ask.query(BranchQuery).url
    if not url:
        why = ask.texts.say(_NO_ADDRESS)
        return GitBranchList(branches=(), tags=(), default_branch="", why=why)
    offer = await ask.deps.git.branches(ask.me.person, url)
    refs = offer.found
    return GitBranchList(
        branches=_refs(refs.branches),
        tags=_refs(refs.tags),
        default_branch=refs.default,
        why=said(offer.why, ask.texts),
    )


@routes.get(
    "/commits", Spec(query=CommitQuery, answer=GitCommitList, errors=(InvalidInput,))
)
async def list_git_commits(ask: Ask) -> GitCommitList:
    """List a branch's newest commits; answers within seconds."""
    wanted = ask.query(CommitQuery)
    if not wanted.url:
        return GitCommitList(commits=(), why=ask.texts.say(_NO_ADDRESS))
    offer = await ask.deps.git.commits(ask.me.person, wanted.url, wanted.ref)
    return GitCommitList(
        commits=tuple(
            GitCommit(
                commit=one.commit,
                title=one.title,
                author=one.author,
                at=None if one.at is None else int(one.at),
            )
            for one in offer.found
        ),
        why=said(offer.why, ask.texts),
    )


@routes.post(
    "/commit",
    Spec(
        scope=Scope.READ,
        body=WantedCommit,
        answer=ResolvedCommit,
        errors=(InvalidInput, GitUnavailable),
        example={"url": "https://github.com/lab/model.git", "ref": "main"},
    ),
)
async def resolve_git_commit(ask: Ask) -> ResolvedCommit:
    """Say which commit a job submitted now would get."""
    asked = ask.body(WantedCommit)
    found = await ask.deps.git.resolve(
        ask.me.person, asked.url, asked.ref, asked.commit
    )
    return ResolvedCommit(commit=found)


def _refs(tips: Mapping[str, str]) -> tuple[GitRef, ...]:
    return tuple(GitRef(name=name, commit=tips[name]) for name in sorted(tips))
