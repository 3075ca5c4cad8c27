"""The tables of data: items, their files and tags, and uploads into them."""

from typing import Final

from sqlalchemy import BigInteger, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from kqi_hub.db.account_tables import NEVER_AGAIN
from kqi_hub.db.login_tables import ROW_NUMBER
from kqi_hub.db.tables import Base
from kqi_hub.db.text import BytewiseText

# Rows that are found by their key alone: SQLite keeps them in the index itself.
_IN_KEY_ORDER: Final = {"sqlite_with_rowid": False}
_IS_PUBLISHING = text("state = 'publishing'")
_ITEM: Final = "data_items.number"


class TenantLockRow(Base):
    """A row for each tenant, for one purpose: whoever changes data holds it."""

    __tablename__ = "tenant_locks"

    tenant: Mapped[str] = mapped_column(primary_key=True)


class DataItemRow(Base):
    """A data item; `files` and `bytes` are those of its published files."""

    __tablename__ = "data_items"

    number: Mapped[int] = mapped_column(ROW_NUMBER, primary_key=True)
    tenant: Mapped[str]
    name: Mapped[str]
    memo: Mapped[str]
    state: Mapped[str]
    origin: Mapped[str]
    files: Mapped[int]
    bytes: Mapped[int]
    version: Mapped[int]
    created_by: Mapped[str]
    created_at: Mapped[float]
    changed_at: Mapped[float]

    __table_args__ = (
        Index(None, "tenant", "state", "number"),
        Index(None, "tenant", "created_by"),
        Index(None, "state"),
        NEVER_AGAIN,
    )


class DataTagRow(Base):
    """A tag of an item; `tenant` is the item's, to list a tenant's tags by."""

    __tablename__ = "data_tags"

    data_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey(_ITEM), primary_key=True, autoincrement=False
    )
    tag: Mapped[str] = mapped_column(primary_key=True)
    tenant: Mapped[str]

    __table_args__ = (Index(None, "tenant", "tag"), _IN_KEY_ORDER)


class DataParentRow(Base):
    """An item that an item was made from; the row outlives the parent."""

    __tablename__ = "data_parents"

    data_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey(_ITEM), primary_key=True, autoincrement=False
    )
    parent: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)

    __table_args__ = (Index(None, "parent"), _IN_KEY_ORDER)


class DataFileRow(Base):
    """A file of an item, shown as soon as the item has reached `version`."""

    __tablename__ = "data_files"

    data_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey(_ITEM), primary_key=True, autoincrement=False
    )
    path: Mapped[str] = mapped_column(BytewiseText(), primary_key=True)
    size: Mapped[int]
    sha256: Mapped[str]
    version: Mapped[int]

    __table_args__ = (_IN_KEY_ORDER,)


class DataRemovalRow(Base):
    """A file that its item has lost and that is still in the store."""

    __tablename__ = "data_removals"

    data_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey(_ITEM), primary_key=True, autoincrement=False
    )
    path: Mapped[str] = mapped_column(BytewiseText(), primary_key=True)
    asked_at: Mapped[float]

    __table_args__ = (_IN_KEY_ORDER,)


class UploadRow(Base):
    """An upload; `is_kept`: the store may have something of it.

    It outlives its item. That one upload of an item is published at a time is the
    promise of an index.
    """

    __tablename__ = "uploads"

    key: Mapped[str] = mapped_column(primary_key=True)
    data_id: Mapped[int]
    tenant: Mapped[str]
    person: Mapped[str]
    state: Mapped[str]
    files: Mapped[int]
    bytes: Mapped[int]
    began_at: Mapped[float]
    changed_at: Mapped[float]
    expires_at: Mapped[float]
    is_kept: Mapped[bool]

    __table_args__ = (
        Index(None, "state", "expires_at"),
        Index(None, "person", "state"),
        Index(None, "tenant", "state"),
        Index(
            "uq_uploads_publishing",
            "data_id",
            unique=True,
            sqlite_where=_IS_PUBLISHING,
            postgresql_where=_IS_PUBLISHING,
        ),
        Index(None, "data_id"),
    )


class ComparisonRow(Base):
    """What store and database of a tenant disagreed about the last time."""

    __tablename__ = "store_comparisons"

    tenant: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[float]
    strays: Mapped[int]
    stray_bytes: Mapped[int]
    missing: Mapped[tuple[str, ...]]
    trouble: Mapped[str]
