"""Tokens for Git services and registries: what can be right, and what cannot."""

import pytest

from kqi_hub.domain.credentials import (
    LONGEST_USER_NAME,
    LONGEST_VALUE,
    Kind,
    Secret,
    Service,
    Use,
    secret_for,
    service_named,
)
from kqi_hub.domain.errors import InvalidInput, NotFound

GITHUB = Service("github", Use.GIT, Kind.GITHUB, "https://github.com")
OTHER = Service("lab", Use.GIT, Kind.OTHER, "https://git.example.org")
DOCKER = Service("dockerhub", Use.REGISTRY, Kind.DOCKERHUB, "https://docker.io")
GITLAB = Service("images", Use.REGISTRY, Kind.GITLAB, "https://registry.example.org")
NGC = Service("ngc", Use.REGISTRY, Kind.NGC, "https://nvcr.io")
HIDDEN = ["a\nb", "a\0b", "a\rb", "a\x7fb", "a\u202eb", "a\u2028b", "\ud800", "\x1b[0m"]


@pytest.mark.parametrize(
    ("service", "user_name", "value"),
    [
        (GITHUB, "", "ghp_0123"),
        (GITHUB, "alice", "ghp_0123"),
        (OTHER, "", "pass word with spaces é"),
        (DOCKER, "alice", "x" * LONGEST_VALUE),
        (GITLAB, "é" * LONGEST_USER_NAME, "'\"$(id)`;"),
        (NGC, "", "nvapi-0123"),
    ],
)
def test_what_can_be_right_is_taken_as_it_is(
    service: Service, user_name: str, value: str
) -> None:
    typed = secret_for(service, f" {user_name} ", f"\t{value}\n")
    assert typed == Secret(user_name, value)


@pytest.mark.parametrize("value", ["", " ", "\n", "x" * (LONGEST_VALUE + 1), *HIDDEN])
def test_values_that_no_service_gives_are_refused_and_not_repeated(value: str) -> None:
    with pytest.raises(InvalidInput, match="on one line") as caught:
        secret_for(GITHUB, "", value)
    assert value.strip() == "" or value not in str(caught.value)


@pytest.mark.parametrize(
    "name", ["a b", "a:b", "x" * (LONGEST_USER_NAME + 1), "a\u3000b", *HIDDEN]
)
def test_user_names_that_break_a_login_line_are_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="without spaces and colons"):
        secret_for(GITHUB, name, "x")


@pytest.mark.parametrize("service", [DOCKER, GITLAB])
def test_registries_need_a_user_name(service: Service) -> None:
    with pytest.raises(InvalidInput, match=f"{service.name} needs your user name"):
        secret_for(service, " ", "x")


def test_ngc_takes_a_key_alone() -> None:
    with pytest.raises(InvalidInput, match="API key alone"):
        secret_for(NGC, "alice", "x")


def test_a_secret_is_not_shown_when_printed() -> None:
    assert "ghp" not in repr(secret_for(GITHUB, "", "ghp_0123"))


@pytest.mark.parametrize("name", ["", "GitHub", "github ", "../github", "g\0"])
def test_services_are_found_by_their_name_alone(name: str) -> None:
    assert service_named([GITHUB, NGC], "ngc") is NGC
    with pytest.raises(NotFound, match="github, ngc"):
        service_named([GITHUB, NGC], name)
    with pytest.raises(NotFound):
        service_named([], "github")
