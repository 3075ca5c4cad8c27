"""What this machine remembers: address, tenant, time-out, and a token (all 0600).

The environment goes before the files: KQI_SERVER, KQI_TOKEN and KQI_TENANT, as jobs
get them, and KQI_TIMEOUT.
"""

import json
import os
import ssl
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from kqi_hub.sdk.errors import NotConfigured

_CONFIG = "config.json"
_TOKEN = "token"  # noqa: S105  a file's name
TIMEOUT_S: Final = 30.0
LONGEST_S: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Config:
    """Where the portal is, as whom, in which tenant."""

    server: str = ""
    tenant: str = ""
    token: str = field(default="", repr=False)
    # How long the portal may take to answer.
    timeout_s: float = TIMEOUT_S


def folder(env: Mapping[str, str] = os.environ) -> Path:
    """Return where the files are: KQI_CONFIG_DIR, or `kqi` in the XDG folder."""
    if env.get("KQI_CONFIG_DIR"):
        return Path(env["KQI_CONFIG_DIR"])
    base = env.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(base) / "kqi"


def load(env: Mapping[str, str] = os.environ) -> Config:
    """Return what is known; empty where nothing is."""
    saved = _saved(folder(env))
    return Config(
        server=env.get("KQI_SERVER") or saved.server,
        tenant=env.get("KQI_TENANT") or saved.tenant,
        token=env.get("KQI_TOKEN") or saved.token,
        timeout_s=_asked_timeout(env) or saved.timeout_s,
    )


def trusted(env: Mapping[str, str] = os.environ) -> ssl.SSLContext | bool:
    """Return what vouches for servers: KQI_CA_FILE, as jobs get it, or the usual."""
    file = env.get("KQI_CA_FILE")
    if not file:
        return True
    try:
        context = ssl.create_default_context()
        context.load_verify_locations(cafile=file)
    except OSError as error:
        raise NotConfigured(
            f"The certificates of KQI_CA_FILE, {file}, cannot be read: {error}.",
            "Correct KQI_CA_FILE, or unset it.",
        ) from error
    return context


def save(config: Config, env: Mapping[str, str] = os.environ) -> Path:
    """Keep it, readable by nobody else, and return the folder."""
    place = folder(env)
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    said = asdict(replace(config, token=""))
    del said["token"]
    _write(place / _CONFIG, json.dumps(said, indent=2) + "\n")
    if config.token:
        _write(place / _TOKEN, config.token + "\n")
    else:
        (place / _TOKEN).unlink(missing_ok=True)
    return place


def checked_server(text: str) -> str:
    """Return an address with its final slash; NotConfigured when it is none."""
    parts = urlsplit(text.strip())
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.username:
        raise NotConfigured(
            f"{text!r} is not the address of a portal.",
            "It looks like https://hub.example.org/ in a browser.",
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}/"


def _saved(place: Path) -> Config:
    try:
        said = json.loads((place / _CONFIG).read_text())
        return Config(
            str(said.get("server", "")),
            str(said.get("tenant", "")),
            _token(place),
            _checked_timeout(said.get("timeout_s", TIMEOUT_S)),
        )
    except FileNotFoundError:
        return Config()
    except (ValueError, AttributeError, TypeError, OverflowError) as error:
        raise NotConfigured(
            f"{place / _CONFIG} cannot be read: {error}.",
            "Remove it and run: kqi login ADDRESS",
        ) from error


def _asked_timeout(env: Mapping[str, str]) -> float | None:
    said = env.get("KQI_TIMEOUT")
    try:
        return _checked_timeout(said) if said else None
    except ValueError as error:
        raise NotConfigured(
            f"KQI_TIMEOUT cannot be used: {error}.", "Set it to seconds, such as 60."
        ) from error


def _checked_timeout(said: float | str) -> float:
    """Return seconds; ValueError for what is no number or too long to wait."""
    seconds = float(said)
    if not 0 < seconds <= LONGEST_S:
        raise ValueError(f"a time-out of {said} is not above 0 and up to {LONGEST_S:g}")
    return seconds


def _token(place: Path) -> str:
    path = place / _TOKEN
    try:
        mode = path.stat().st_mode & 0o077
    except FileNotFoundError:
        return ""
    if mode:
        raise NotConfigured(
            f"{path} can be read by others.", f"Run: chmod 600 {path}, or kqi login."
        )
    return path.read_text().strip()


def _write(path: Path, text: str) -> None:
    """Replace the file in one step, private from its first byte on."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    fresh.replace(path)
