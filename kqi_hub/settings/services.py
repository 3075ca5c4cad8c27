"""The Git services and image registries that people store tokens for."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from kqi_hub.settings.field import about
from kqi_hub.settings.rules import Matches, WebAddress

_NAME: Final = Matches(
    r"[a-z0-9][a-z0-9._-]{0,39}",
    "lower case letters, digits, . _ and -, 1 to 40 of them",
)
_NAMED: Final = (
    "What people see and `kqi credential set` takes; no other service has it, Git or "
    "registry. What people stored stays with the name and the address."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Git:
    """A Git service that people may store a token for; one table for each.

    Jobs clone from it as the person whose job it is.
    """

    name: str = field(metadata=about(_NAMED, _NAME, example='"github"'))
    kind: Literal["github", "gitlab", "gitbucket", "gitea", "other"] = field(
        metadata=about("Whose software it runs.", example='"github"')
    )
    url: str = field(
        metadata=about(
            "Its address as in a clone command, without the repository.",
            WebAddress(),
            example='"https://github.com"',
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """A registry of container images that people may store a password for.

    One table for each. Jobs that run in an image pull it as the person whose job it is.
    """

    name: str = field(metadata=about(_NAMED, _NAME, example='"ngc"'))
    kind: Literal["dockerhub", "gitlab", "private", "ngc"] = field(
        metadata=about(
            "Whose software it runs; `ngc` takes an API key alone, all others a user "
            "name with it.",
            example='"ngc"',
        )
    )
    url: str = field(
        metadata=about(
            "Its address, without an image's name. Docker Hub's is https://docker.io. "
            "Images without a host in their names are of the first registry.",
            WebAddress(),
            example='"https://nvcr.io"',
        )
    )
    ca_file: Path | None = field(
        default=None,
        metadata=about(
            "Certificates (PEM) that may sign the registry's, beside the system's; "
            "to be read by the portal and on every compute node, at the same place."
        ),
    )
