"""Names of container images: what is one, and which registry is meant."""

from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from kqi_hub.domain.credentials import Kind, Secret, Service, Use
from kqi_hub.domain.errors import InvalidInput
from kqi_hub.domain.images import (
    LONGEST_IMAGE,
    ImageName,
    image_of,
    place_of,
    registry_of,
    secret_of,
)
from tests.fakes.images import DIGEST, REGISTRIES, SITE

NGC = REGISTRIES[1]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("tool", ("", "tool", "", "")),
        ("team/tool:1.0", ("", "team/tool", "1.0", "")),
        ("nvcr.io/nv/torch:24.01-py3", ("nvcr.io", "nv/torch", "24.01-py3", "")),
        ("localhost/x", ("localhost", "x", "", "")),
        ("Example.ORG/x", ("example.org", "x", "", "")),
        ("host:5000/a__b/c-d.e:V_1", ("host:5000", "a__b/c-d.e", "V_1", "")),
        (f"a/b@{DIGEST}", ("", "a/b", "", DIGEST)),
        (f"h.org/a:1@{DIGEST}", ("h.org", "a", "1", DIGEST)),
    ],
)  # fmt: skip
def test_names_are_read_as_docker_reads_them(
    text: str, parts: tuple[str, str, str, str]
) -> None:
    assert image_of(text) == ImageName(*parts)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "/", "a/", "/a", "a//b", "Tool", "a:", "a:-x", "a:" + "t" * 129, "a b",
        "a@", "a@sha256:1", f"a@{DIGEST}0", f"a@{DIGEST.upper()}", "a@md5:" + "0" * 32,
        "../a", "a/../b", "a/./b", "..", ".a", "-a", "a-", "a..b", "a___b", "_a",
        "--privileged", "https://h.org/a", "user:pw@h.org/a", "h.org:/a", "h.org:0/a",
        "h.org:123456/a", "-h.org/a", "h..org/a", "[::1]/a", "a\n", "a\0", "a;id",
        "$(id)",
        "`id`", "a'b", 'a"b', "ä", "\u202ea", "h.org/\u0430", "a?b", "a#b", "a%2fb",
        "a\\b", "a/" * 200 + "a", "a" * (LONGEST_IMAGE + 1),
    ],
)  # fmt: skip
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="image"):
        image_of(text)


@given(st.text(max_size=300))
def test_any_text_is_a_name_or_refused(text: str) -> None:
    try:
        found = image_of(text)
    except InvalidInput:
        return
    # What is one comes out in a form that is read the same way again.
    assert image_of(str(found).removeprefix("/")) == found
    assert ".." not in found.path


@pytest.mark.parametrize(
    ("text", "whole", "url"),
    [
        ("tool", "images.example.org/tool:latest", "https://images.example.org"),
        ("a/tool:2", "images.example.org/a/tool:2", "https://images.example.org"),
        ("nvcr.io/nvidia/x:1", "nvcr.io/nvidia/x:1", "https://nvcr.io"),
        ("docker.io/python:3", "docker.io/library/python:3", "https://registry-1.docker.io"),
        ("index.docker.io/a/b:3", "docker.io/a/b:3", "https://registry-1.docker.io"),
        ("lab.example.org/vision/x", "lab.example.org/vision/x:latest", "https://lab.example.org"),
        (f"nvcr.io/x@{DIGEST}", f"nvcr.io/x@{DIGEST}", "https://nvcr.io"),
    ],
)  # fmt: skip
def test_an_image_is_of_a_registry_of_the_site(text: str, whole: str, url: str) -> None:
    _, place = registry_of(REGISTRIES, text)
    assert (str(place.name), place.url) == (whole, url)


@pytest.mark.parametrize(
    "text", ["ghcr.io/a/b", "127.0.0.1/x", "images.example.org:444/x",
             "lab.example.org/other/x", "lab.example.org/visionary/x"],
)  # fmt: skip
def test_other_registries_are_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        registry_of(REGISTRIES, text)


def test_a_site_without_registries_says_so() -> None:
    git = Service("git", Use.GIT, Kind.GITHUB, "https://github.com")
    with pytest.raises(InvalidInput, match="no registry"):
        registry_of([git], "tool")


def test_names_without_a_host_are_below_the_first_registrys_folder() -> None:
    _, place = registry_of([REGISTRIES[3]], "x:1")
    assert str(place.name) == "lab.example.org/vision/x:1"


def test_an_api_key_of_ngc_goes_with_its_usual_name() -> None:
    assert secret_of(NGC, Secret("", "key")) == Secret("$oauthtoken", "key")
    assert secret_of(SITE, Secret("mia", "pw")) == Secret("mia", "pw")
    assert secret_of(NGC, None) is None


def test_a_password_is_not_shown_with_a_place() -> None:
    _, place = registry_of(REGISTRIES, "tool")
    assert "hush" not in repr(replace(place, secret=Secret("mia", "hush")))
    assert place_of(SITE).url == "https://images.example.org"
