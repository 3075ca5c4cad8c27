"""Tokens and passwords of people for the site's Git services and image registries.

A value goes in and never comes out to a person again; jobs use it as the person. It is
bound to the address that it was stored for: when the site gives a service another
address, what was stored for the old one is not sent there.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

from kqi_hub.domain.errors import InvalidInput, NotFound
from kqi_hub.domain.one_line import has_hidden, is_one_line

LONGEST_VALUE: Final = 4096
LONGEST_USER_NAME: Final = 200


class Use(StrEnum):
    """What a service is for."""

    GIT = "git"
    REGISTRY = "registry"


class Kind(StrEnum):
    """Whose software a service runs."""

    GITHUB = "github"
    GITLAB = "gitlab"
    GITBUCKET = "gitbucket"
    GITEA = "gitea"
    OTHER = "other"
    DOCKERHUB = "dockerhub"
    PRIVATE = "private"
    NGC = "ngc"


@dataclass(frozen=True, slots=True)
class Service:
    """A Git service or registry of the site."""

    name: str
    use: Use
    kind: Kind
    url: str

    @property
    def needs_user_name(self) -> bool:
        """Tell whether a value alone says nothing: registries want a name with it."""
        return self.use is Use.REGISTRY and self.kind is not Kind.NGC

    @property
    def takes_user_name(self) -> bool:
        """Tell whether a name may be given: NGC has one for everybody."""
        return self.kind is not Kind.NGC


@dataclass(frozen=True, slots=True)
class Secret:
    """A name and what proves it, as a service wants them."""

    user_name: str
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Stored:
    """That a person has stored something for a service's address; never the value."""

    service: str
    url: str
    user_name: str
    stored_at: float
    last_used_at: float | None


class CredentialStore(Protocol):
    """Values at rest, encrypted. Every method blocks."""

    def stored(self, person: str) -> tuple[Stored, ...]:
        """Return what the person has stored, for services there are no more too."""

    def put(self, person: str, service: Service, secret: Secret, now: float) -> bool:
        """Store it; True if it replaced something."""

    def remove(self, person: str, service: str) -> bool:
        """Remove it; False if there was none."""

    def use(self, person: str, service: Service, now: float) -> Secret | None:
        """Return it for a job of the person, and note the time.

        None if nothing is stored for this service at its present address.
        """


def service_named(services: Collection[Service], name: str) -> Service:
    """Return a service of the site, or raise NotFound."""
    for service in services:
        if service.name == name:
            return service
    raise NotFound(
        "This site has no service of that name.",
        "Possible: {services}.",
        services=", ".join(service.name for service in services) or "-",
    )


def secret_for(service: Service, user_name: str, value: str) -> Secret:
    """Return what was typed, trimmed, if it can be right; InvalidInput otherwise."""
    name, word = user_name.strip(), value.strip()
    if not is_one_line(word, LONGEST_VALUE):
        raise InvalidInput(
            "A token or password has 1 to {most} characters, on one line.",
            "Copy it again from the page of {service} that made it.",
            most=LONGEST_VALUE,
            service=service.name,
        )
    if service.needs_user_name and not name:
        raise InvalidInput(
            "{service} needs your user name there, beside the token or password.",
            "Enter the name that you log in to {service} with.",
            service=service.name,
        )
    if name and not service.takes_user_name:
        raise InvalidInput(
            "{service} takes an API key alone.",
            "Leave the user name empty.",
            service=service.name,
        )
    if len(name) > LONGEST_USER_NAME or _is_odd(name):
        raise InvalidInput(
            "A user name has at most {most} characters, without spaces and colons.",
            "Enter the name that you log in to {service} with.",
            most=LONGEST_USER_NAME,
            service=service.name,
        )
    return Secret(name, word)


def _is_odd(user_name: str) -> bool:
    # A colon ends the name in HTTP's and in Docker's own files.
    return has_hidden(user_name) or any(c.isspace() or c == ":" for c in user_name)
