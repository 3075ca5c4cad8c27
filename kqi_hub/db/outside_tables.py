"""The table of what comes of runs that were done elsewhere."""

from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from kqi_hub.db.tables import Base


class OutsideOutputRow(Base):
    """A folder that is uploaded for a run; `data` is the item that it becomes.

    `upload` is the key of its upload, kept before the upload begins.
    """

    __tablename__ = "outside_outputs"

    run: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("runs.number"), primary_key=True, autoincrement=False
    )
    name: Mapped[str] = mapped_column(primary_key=True)
    upload: Mapped[str]
    data: Mapped[int | None]
