"""What an agent is told at its start: one JSON object on standard input."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kqi_hub.agent.environment_rules import EnvironmentRules, environment_rules
from kqi_hub.agent.files.rules import FileRules, file_rules

VERSION: Final = 1
_LIMIT_BYTES: Final = 64 * 1024


class BadInstructions(Exception):
    """The instructions cannot be followed; the message never quotes a secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """How the hub is reached, and as whom."""

    api_url: str
    client_id: str
    authorize_path: str
    token: str
    # Any one of these lets its holder in, if it is the person.
    scopes: frozenset[str]
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Instructions:
    """What this agent is for, and when it ends."""

    person: str
    port: int
    base: str
    folder: Path
    idle_s: float
    is_https: bool
    hub: Hub
    files: FileRules
    environments: EnvironmentRules | None = None


def read_instructions(raw: bytes) -> Instructions:
    """Read what the spawner wrote."""
    if len(raw) > _LIMIT_BYTES:
        raise BadInstructions(f"the instructions are longer than {_LIMIT_BYTES} bytes")
    try:
        said = json.loads(raw)
        if said["version"] != VERSION:
            raise BadInstructions(f"this agent follows version {VERSION} only")
        return _instructions(said, said["hub"])
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        kind = type(error).__name__
        raise BadInstructions(f"the instructions cannot be read ({kind})") from None


def _instructions(said: dict[str, Any], hub: dict[str, str]) -> Instructions:
    base = hub["JUPYTERHUB_SERVICE_PREFIX"]
    folder = Path(said["folder"])
    if not (base.startswith("/") and base.endswith("/") and folder.is_absolute()):
        raise ValueError
    return Instructions(
        person=hub["JUPYTERHUB_USER"],
        port=int(said["port"]),
        base=base,
        folder=folder,
        idle_s=float(said["idle_s"]),
        is_https=bool(said["is_https"]),
        hub=Hub(
            api_url=hub["JUPYTERHUB_API_URL"].rstrip("/"),
            client_id=hub["JUPYTERHUB_CLIENT_ID"],
            authorize_path=f"{hub['JUPYTERHUB_BASE_URL']}hub/api/oauth2/authorize",
            token=hub["JUPYTERHUB_API_TOKEN"],
            scopes=frozenset(json.loads(hub["JUPYTERHUB_OAUTH_ACCESS_SCOPES"])),
            version=str(said["hub_version"]),
        ),
        files=file_rules(said.get("files"), folder),
        environments=environment_rules(said.get("environments")),
    )
