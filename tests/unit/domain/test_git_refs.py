"""Which commit is meant (K-28), and what can be the address of a repository."""

import pytest
from hypothesis import given, strategies as st

from kqi_hub.domain.credentials import Kind, Service, Use
from kqi_hub.domain.errors import InvalidInput
from kqi_hub.domain.git_refs import (
    COMMIT,
    Refs,
    as_https,
    checked_commit,
    checked_ref,
    checked_url,
    commit_of,
    path_in,
    service_of,
    ssh_host,
)

A, B, C = "a" * 40, "b" * 40, "c" * 40
REFS = Refs({"main": A, "feature/x": B, "v1": B}, {"v1": C, "only": C}, "main", A)
LAB = Service("lab", Use.GIT, Kind.GITLAB, "https://git.example.org/lab/")


@pytest.mark.parametrize(
    ("ref", "commit", "meant"),
    [
        ("", "", A),
        ("feature/x", "", B),
        ("refs/heads/feature/x", "", B),
        ("heads/feature/x", "", B),
        ("only", "", C),
        ("refs/tags/v1", "", C),
        ("v1", "", B),  # a branch comes before a tag of its name
        ("feature/x", C, C),  # a commit wins over a branch
        ("no such branch", "d" * 40, "d" * 40),
        ("", "bbbb", B),
    ],
)
def test_a_commit_wins_then_the_branch_then_the_default(
    ref: str, commit: str, meant: str
) -> None:
    assert commit_of(REFS, ref, commit) == meant


@pytest.mark.parametrize(
    ("refs", "meant"),
    [(Refs({"master": A, "main": B}), A), (Refs({"main": B, "other": C}), B)],
)
def test_without_a_default_it_is_master_then_main(refs: Refs, meant: str) -> None:
    assert commit_of(refs, "", "") == meant


@pytest.mark.parametrize(
    ("refs", "ref", "commit", "words"),
    [
        (REFS, "nothing", "", "no branch or tag nothing.*feature/x, main"),
        (Refs(), "", "", "no default branch"),
        (Refs({"x": A}), "", "", "no default branch"),
        (REFS, "main", "dddd", "dddd is not enough.*40"),
        (Refs({"x": "ab" + A[2:], "y": "ab" + B[2:]}), "", "ab", "not enough"),
    ],
)
def test_what_is_not_there_is_said(
    refs: Refs, ref: str, commit: str, words: str
) -> None:
    with pytest.raises(InvalidInput, match=words):
        commit_of(refs, ref, commit)


@pytest.mark.parametrize(
    "url",
    [
        "https://git.example.org/group/name.git",
        " https://git.example.org/x ",
        "http://10.0.0.3:8080/x",
        "git://git.example.org/x",
        "ssh://git@git.example.org:2222/x.git",
        "git@git.example.org:group/name.git",
        "https://mia@git.example.org/x",
    ],
)
def test_addresses_as_services_show_them_are_taken(url: str) -> None:
    assert checked_url(url) == url.strip()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/etc/passwd",
        "file:///etc/passwd",
        "../x",
        "ext::sh -c id",
        "-uhost",
        "--upload-pack=id",
        "ssh://-oProxyCommand=id/x",
        "git@-oProxyCommand:x",
        "git@host:-x",
        "https://host",
        "https://host/x\nHost: y",
        "https://host/\0",
        "https://[::1/x",
        "https://host:99999/x",
        "https://h ost/x",
        "https://例え.jp/x",
        "https://mia:secret@host/x",
        "https://host/" + "x" * 1000,
        "fd::3/x",
        "rsync://host/x",
    ],
)
def test_what_cannot_be_an_address_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput):
        checked_url(url)


@pytest.mark.parametrize(
    "ref", ["-x", "a..b", "a b", "a\nb", "x@{1}", "\0", "a~1", "a:b", "あ", "a" * 201]
)
def test_what_can_be_no_ref_is_refused(ref: str) -> None:
    with pytest.raises(InvalidInput):
        checked_ref(ref)


@pytest.mark.parametrize(
    "commit", ["xyz", "abc", "a" * 41, "-a", "a b", "a\0", "\uff11"]
)
def test_what_can_be_no_commit_is_refused(commit: str) -> None:
    with pytest.raises(InvalidInput):
        checked_commit(commit)


@given(st.text(max_size=60))
def test_no_text_is_taken_that_git_would_take_for_an_option(text: str) -> None:
    for check in (checked_url, checked_ref, checked_commit):
        try:
            taken = check(text)
        except InvalidInput:
            continue
        assert not taken.startswith("-")
        assert taken.isprintable()


@given(st.text(alphabet="0123456789abcdefABCDEF", max_size=45))
def test_a_commit_is_returned_in_lower_case(text: str) -> None:
    try:
        taken = checked_commit(text)
    except InvalidInput:
        assert not 4 <= len(text) <= 40
    else:
        assert taken == text.lower()
        assert len(taken) < 40 or COMMIT.fullmatch(taken)


def test_a_token_goes_to_its_own_service_by_https_alone() -> None:
    for url in (
        "http://git.example.org/lab/x",
        "https://git.example.org/labs/x",
        "https://git.example.org.evil.org/lab/x",
        "https://git.example.org:444/lab/x",
        "https://git.example.org/x",
    ):
        assert service_of([LAB], url) is None
    assert service_of([LAB], "https://git.example.org/lab/x") is LAB


def test_an_ssh_address_of_a_service_is_asked_by_https() -> None:
    asked = as_https([LAB], "git@git.example.org:group/x.git")
    assert asked == "https://git.example.org/lab/group/x.git"
    assert as_https([LAB], "ssh://git@git.example.org:2222/g/x") == (
        "https://git.example.org/lab/g/x"
    )
    strange = "git@elsewhere.org:group/x.git"
    assert as_https([LAB], strange) == strange
    assert ssh_host(strange) == "elsewhere.org"


def test_the_path_at_a_service_is_without_ending() -> None:
    assert path_in(LAB, "https://git.example.org/lab/group/sub/x.git") == "group/sub/x"
