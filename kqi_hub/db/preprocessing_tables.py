"""The table of preprocessings; their runs are in that of runs."""

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from kqi_hub.db.account_tables import NEVER_AGAIN
from kqi_hub.db.login_tables import ROW_NUMBER
from kqi_hub.db.tables import Base


class PreprocessingRow(Base):
    """A way to make new data from data; an empty `source_url` is no repository.

    Those that are older than images have none of them, not even an empty one.
    """

    __tablename__ = "preprocessings"

    number: Mapped[int] = mapped_column(ROW_NUMBER, primary_key=True)
    tenant: Mapped[str]
    name: Mapped[str]
    memo: Mapped[str]
    command: Mapped[str]
    environment: Mapped[str]
    image: Mapped[str | None]
    source_url: Mapped[str]
    source_ref: Mapped[str]
    source_commit: Mapped[str]
    cpus: Mapped[int]
    memory_mb: Mapped[int]
    gpus: Mapped[int]
    gpu_type: Mapped[str]
    created_by: Mapped[str]
    created_at: Mapped[float]
    changed_at: Mapped[float]

    __table_args__ = (Index(None, "tenant", "number"), NEVER_AGAIN)
