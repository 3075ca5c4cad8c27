"""Read the settings file: everything that is wrong with it is told at once."""

import os
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from kqi_hub.domain.errors import SettingsError
from kqi_hub.settings.building import build
from kqi_hub.settings.model import Settings

DEFAULT_PATH: Final = Path("/etc/kqi/kqi.toml")
_HINT: Final = (
    "Correct the file, then run `kqi-hub config check`; "
    "every setting is explained in docs/operators/settings.md."
)


def settings_path(
    given: Path | None = None, environ: Mapping[str, str] = os.environ
) -> Path:
    """Return the file to read: the one given, else KQI_CONFIG, else the default."""
    if given is not None:
        return given
    named = environ.get("KQI_CONFIG", "")
    return Path(named) if named else DEFAULT_PATH


def load_settings(
    given: Path | None = None, environ: Mapping[str, str] = os.environ
) -> Settings:
    """Read and judge the settings file; raise SettingsError naming every mistake."""
    path = settings_path(given, environ)
    return parse_settings(_read(path), str(path))


def parse_settings(text: str, source: str) -> Settings:
    """Judge the text of a settings file; `source` names it in messages."""
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SettingsError(f"{source} is not TOML: {error}.", _HINT) from error
    settings, problems = build(data)
    if settings is None:
        lines = "\n".join(f"{source}: {problem}" for problem in problems)
        raise SettingsError(lines, _HINT)
    return settings


def _read(path: Path) -> str:
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            _refuse_untrusted(path, os.fstat(file.fileno()))
            return file.read().decode()
    except FileNotFoundError as error:
        raise SettingsError(
            f"There is no settings file {path}.",
            "Write one (docs/operators/settings.md begins with a small one), or name "
            "it with --config or in KQI_CONFIG.",
        ) from error
    except OSError as error:
        raise SettingsError(
            f"The settings file {path} cannot be read: {error.strerror}.",
            "Run as the service user, or as somebody of the service's group.",
        ) from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} is not UTF-8 text: {error}.", _HINT) from error


def _without_waiting(path: str, flags: int) -> int:
    # A FIFO in the file's place must not hang the service.
    return os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC)


def _refuse_untrusted(path: Path, status: os.stat_result) -> None:
    """Refuse a file that anybody may write: it names the commands that we run."""
    if not stat.S_ISREG(status.st_mode):
        raise SettingsError(f"The settings file {path} is not a regular file.")
    if status.st_mode & stat.S_IWOTH:
        raise SettingsError(
            f"Anybody may write the settings file {path}.", f"Run: chmod o-w {path}"
        )
