"""The keys that encrypt stored secrets: the box, and their rotation."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from kqi_hub.auth import keyfile
from kqi_hub.auth.secretbox import SecretBox, file_stamp, new_key
from kqi_hub.bootstrap.database import open_database
from kqi_hub.db.audit import SqlAuditLog
from kqi_hub.db.sealed import count_sealed, forget_sealed, reseal
from kqi_hub.domain.errors import DatabaseNotReady, SettingsError
from kqi_hub.domain.login import AuditEvent
from kqi_hub.services.desk import SystemClock
from kqi_hub.settings.model import Settings
from kqi_hub.settings.secrets import read_secret_lines


@dataclass(frozen=True, slots=True)
class Rotation:
    """What became of the keys and of what they encrypt."""

    path: Path
    keys: int
    resealed: int


def key_path(settings: Settings) -> Path:
    """Return where the key file is."""
    return settings.security.key_file or settings.site.state_dir / "keys"


def open_box(settings: Settings) -> SecretBox:
    """Return what encrypts; SettingsError without a key file that nobody else reads."""
    path = key_path(settings)
    if not path.exists():
        raise SettingsError(
            f"There is no key file {path}: nothing could be encrypted.",
            "Run as the service user: kqi-hub keys generate",
        )
    return SecretBox(lambda: read_secret_lines(path), file_stamp(path))


def generate_keys(settings: Settings, actor: str, lost: bool = False) -> int:
    """Make the key file; return how many secrets were forgotten because it was lost.

    Raises Conflict if there is one, SettingsError if the database needs another one
    and it was not said that that is lost.
    """
    path = key_path(settings)
    with _database(settings) as engine:
        stored = 0 if path.exists() else _count(engine)
        if stored and not lost:
            raise SettingsError(
                f"The database holds {stored} secrets, the key file {path} is gone.",
                "Bring it back from the backup. If it is lost for good, --lost deletes "
                "them: everybody sets up the second factor anew.",
            )
        keyfile.create(path, new_key())
        if stored:
            forget_sealed(engine)
            _note(engine, actor, "keys-lost", forgotten=str(stored))
    return stored


def rotate_keys(settings: Settings, actor: str) -> Rotation:
    """Add a new first key and put everything under it; safe to run again."""
    path = key_path(settings)
    box = open_box(settings)
    keyfile.replace(path, [new_key(), *read_secret_lines(path)])
    return _resealed(settings, box, actor, "keys-rotated")


def drop_old_keys(settings: Settings, actor: str) -> Rotation:
    """Keep the first key only, once everything is under it."""
    path = key_path(settings)
    done = _resealed(settings, open_box(settings), actor, "keys-dropped")
    keyfile.replace(path, read_secret_lines(path)[:1])
    return Rotation(path, 1, done.resealed)


def _resealed(settings: Settings, box: SecretBox, actor: str, action: str) -> Rotation:
    path = key_path(settings)
    with _database(settings) as engine:
        count = reseal(engine, box)
        _note(engine, actor, action, secrets=str(count))
    return Rotation(path, len(read_secret_lines(path)), count)


def _count(engine: Engine) -> int:
    try:
        return count_sealed(engine)
    except DatabaseNotReady:
        # A new site makes its keys before its database.
        return 0


def _note(engine: Engine, actor: str, action: str, **detail: str) -> None:
    now = SystemClock().now()
    SqlAuditLog(engine).append(AuditEvent(now, actor, action, detail=detail))


@contextmanager
def _database(settings: Settings) -> Iterator[Engine]:
    engine = open_database(settings)
    try:
        yield engine
    finally:
        engine.dispose()
