"""The table of searches that people keep."""

from sqlalchemy.orm import Mapped, mapped_column

from kqi_hub.db.tables import Base


class RunSearchRow(Base):
    """A search of one list of runs; `query` is what the list's address has."""

    __tablename__ = "run_searches"

    person: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    query: Mapped[str]
    changed_at: Mapped[float]
