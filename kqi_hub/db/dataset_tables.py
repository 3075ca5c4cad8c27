"""The tables of datasets, of who uses what, and of the trees at the store."""

from typing import Final

from sqlalchemy import BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from kqi_hub.db.account_tables import NEVER_AGAIN
from kqi_hub.db.login_tables import ROW_NUMBER
from kqi_hub.db.tables import Base
from kqi_hub.db.text import BytewiseText

# Rows that are found by their key alone: SQLite keeps them in the index itself.
_IN_KEY_ORDER: Final = {"sqlite_with_rowid": False}


class DatasetRow(Base):
    """A dataset; `revision` grows with every change of its entries.

    `items`, `files`, `bytes` and `versions`, the sum of the items' versions, are true
    while it is locked: nothing can change then.
    `tree_key` is the key of the content that `tree_stamp` stands for.
    """

    __tablename__ = "datasets"

    number: Mapped[int] = mapped_column(ROW_NUMBER, primary_key=True)
    tenant: Mapped[str]
    name: Mapped[str]
    memo: Mapped[str]
    is_flat: Mapped[bool]
    created_by: Mapped[str]
    created_at: Mapped[float]
    changed_at: Mapped[float]
    revision: Mapped[int]
    items: Mapped[int]
    files: Mapped[int]
    bytes: Mapped[int]
    versions: Mapped[int]
    tree_stamp: Mapped[str]
    tree_key: Mapped[str]

    __table_args__ = (Index(None, "tenant", "number"), NEVER_AGAIN)


class DatasetEntryRow(Base):
    """A data item in a dataset; `type` is empty in a flat one."""

    __tablename__ = "dataset_entries"

    dataset: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("datasets.number"), primary_key=True, autoincrement=False
    )
    type: Mapped[str] = mapped_column(BytewiseText(), primary_key=True)
    data_id: Mapped[int] = mapped_column(
        BigInteger,
        ForeignKey("data_items.number"),
        primary_key=True,
        autoincrement=False,
    )

    __table_args__ = (Index(None, "data_id"), _IN_KEY_ORDER)


class DatasetTypesRow(Base):
    """The types of data that a tenant has chosen for its datasets."""

    __tablename__ = "dataset_types"

    tenant: Mapped[str] = mapped_column(primary_key=True)
    types: Mapped[tuple[str, ...]]


class UseRow(Base):
    """One thing was made from, or used, another; ids are numbers, but a commit's."""

    __tablename__ = "uses"

    used_kind: Mapped[str] = mapped_column(primary_key=True)
    used_id: Mapped[str] = mapped_column(primary_key=True)
    by_kind: Mapped[str] = mapped_column(primary_key=True)
    by_id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[float]
    locks: Mapped[bool]

    __table_args__ = (Index(None, "by_kind", "by_id"), _IN_KEY_ORDER)


class TreeRow(Base):
    """A tree at the store; it outlives its dataset until nobody reads it any more."""

    __tablename__ = "dataset_trees"

    tenant: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    dataset: Mapped[int]
    state: Mapped[str]
    files: Mapped[int]
    bytes: Mapped[int]
    built_at: Mapped[float]
    used_at: Mapped[float]

    __table_args__ = (Index(None, "state", "used_at"),)


class TreeHoldRow(Base):
    """That something which runs reads a tree."""

    __tablename__ = "tree_holds"

    holder: Mapped[str] = mapped_column(primary_key=True)
    tenant: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)

    __table_args__ = (Index(None, "tenant", "key"),)
