"""The tables of what people keep here: public keys, and secrets for other services."""

from typing import Final

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kqi_hub.db.login_tables import ROW_NUMBER
from kqi_hub.db.tables import Base

# A number that was once a key's is never another key's: whoever removes "key 7" on an
# old page must not hit a newer key.
NEVER_AGAIN: Final = {"sqlite_autoincrement": True}


class SshKeyRow(Base):
    """A public key; `blob` is its wire format in base64."""

    __tablename__ = "ssh_keys"

    number: Mapped[int] = mapped_column(ROW_NUMBER, primary_key=True)
    person: Mapped[str]
    name: Mapped[str]
    kind: Mapped[str]
    blob: Mapped[str]
    fingerprint: Mapped[str]
    added_at: Mapped[float]

    __table_args__ = (UniqueConstraint("person", "fingerprint"), NEVER_AGAIN)


class CredentialRow(Base):
    """What a person has stored for a service, and for which address of it."""

    __tablename__ = "credentials"

    person: Mapped[str] = mapped_column(primary_key=True)
    service: Mapped[str] = mapped_column(primary_key=True)
    url: Mapped[str]
    user_name: Mapped[str]
    sealed_value: Mapped[str]
    stored_at: Mapped[float]
    last_used_at: Mapped[float | None]
