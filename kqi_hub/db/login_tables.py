"""The tables of logging in: factors, failures, the audit log, terms of use."""

from typing import Final

from sqlalchemy import BigInteger, Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from kqi_hub.db.tables import Base

# Only a column of exactly this type numbers SQLite's rows by itself.
ROW_NUMBER: Final = BigInteger().with_variant(Integer, "sqlite")


class FactorRow(Base):
    """A person's one-time code device; `last_step` only ever grows."""

    __tablename__ = "second_factors"

    person: Mapped[str] = mapped_column(primary_key=True)
    sealed_secret: Mapped[str]
    last_step: Mapped[int]
    set_up_at: Mapped[float]


class RecoveryCodeRow(Base):
    """One recovery code; a used one stays, so that its use can be told."""

    __tablename__ = "recovery_codes"

    number: Mapped[int] = mapped_column(ROW_NUMBER, primary_key=True)
    person: Mapped[str]
    sealed_hash: Mapped[str]
    used_at: Mapped[float | None]

    __table_args__ = (Index(None, "person"),)


class TallyRow(Base):
    """Failed logins by `kind` of counter; the part that does not apply is empty."""

    __tablename__ = "login_tallies"

    kind: Mapped[str] = mapped_column(primary_key=True)
    person: Mapped[str] = mapped_column(primary_key=True)
    address: Mapped[str] = mapped_column(primary_key=True)
    failures: Mapped[int]
    last_failure_at: Mapped[float]

    __table_args__ = (Index(None, "last_failure_at"),)


class FailureRow(Base):
    """Failed logins of everybody in one slice of time."""

    __tablename__ = "login_failures"

    slice: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    failures: Mapped[int]


class KnownAddressRow(Base):
    """From where a person has logged in, and when last."""

    __tablename__ = "known_addresses"

    person: Mapped[str] = mapped_column(primary_key=True)
    address: Mapped[str] = mapped_column(primary_key=True)
    seen_at: Mapped[float]

    __table_args__ = (Index(None, "seen_at"),)


class KnownPersonRow(Base):
    """What the directory called a person when they logged in last."""

    __tablename__ = "known_people"

    person: Mapped[str] = mapped_column(primary_key=True)
    display_name: Mapped[str]
    seen_at: Mapped[float]


class AuditRow(Base):
    """One event; triggers refuse to change or delete it. `detail` is JSON."""

    __tablename__ = "audit_log"

    number: Mapped[int] = mapped_column(ROW_NUMBER, primary_key=True)
    at: Mapped[float]
    actor: Mapped[str]
    action: Mapped[str]
    target: Mapped[str]
    outcome: Mapped[str]
    address: Mapped[str]
    detail: Mapped[str]

    __table_args__ = (
        Index(None, "at"),
        Index(None, "actor", "number"),
        Index(None, "action", "number"),
    )


class AcceptanceRow(Base):
    """That a person accepted a version of the terms of use."""

    __tablename__ = "terms_accepted"

    person: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[str] = mapped_column(primary_key=True)
    accepted_at: Mapped[float]
    address: Mapped[str]
