"""Write the order of a notebook's job, as the privileged door does."""

import json
import os
from pathlib import Path
from typing import Any

PREFIX = "/user/alice/nb-12/"
JOB = "nb-12-" + "a" * 26


def silent(text: str) -> None:
    """Take a line for the log and say nothing."""
    del text


def hub_variables(port: int) -> dict[str, str]:
    """Return what the hub hands out, for a hub on loopback."""
    api = f"http://127.0.0.1:{port}/hub/api"
    scopes = '["access:servers!server=alice/nb-12"]'
    return {
        "JUPYTERHUB_API_TOKEN": "the-token",
        "JUPYTERHUB_API_URL": api,
        "JUPYTERHUB_BASE_URL": "/",
        "JUPYTERHUB_SERVICE_PREFIX": PREFIX,
        "JUPYTERHUB_USER": "alice",
        "JUPYTERHUB_SERVER_NAME": "nb-12",
        "JUPYTERHUB_CLIENT_ID": "jupyterhub-user-alice-nb-12",
        "JUPYTERHUB_HOST": "",
        "JUPYTERHUB_OAUTH_CALLBACK_URL": f"{PREFIX}oauth_callback",
        "JUPYTERHUB_OAUTH_SCOPES": scopes,
        "JUPYTERHUB_OAUTH_ACCESS_SCOPES": scopes,
        "JUPYTERHUB_ACTIVITY_URL": f"{api}/users/alice/activity",
    }


def order(port: int = 1, git: object = None, **notebook: Any) -> dict[str, Any]:
    """Return an order; `notebook` overrides what it says of the notebook."""
    plain = {
        "id": 12,
        "name": "my-notebook",
        "page": "http://portal/notebooks/12",
        "ui": "lab",
        "environment": "",
        "repository": None,
        "variables": {},
        "command": "",
        "lifetime_s": 3600,
        "idle_stop_s": 3600,
        "idle_warn_s": 600,
        "end_warn_s": 600,
    }
    return {
        "version": 1,
        "hub": hub_variables(port),
        "git": git,
        "notebook": plain | notebook,
    }


def write_order(top: Path, told: object, mode: int = 0o600) -> Path:
    """Write it to where the job looks for it below a person's folder."""
    file = top / "kqi" / "secrets" / JOB
    file.parent.mkdir(parents=True, exist_ok=True)
    text = told if isinstance(told, str) else json.dumps(told)
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(handle, "w") as stream:
        stream.write(text)
    file.chmod(mode)
    return file
