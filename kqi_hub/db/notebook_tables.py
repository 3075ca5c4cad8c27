"""The tables of notebooks and of the sessions that run them."""

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from kqi_hub.db.account_tables import NEVER_AGAIN
from kqi_hub.db.login_tables import ROW_NUMBER
from kqi_hub.db.notebook_text import ChoicesText
from kqi_hub.db.tables import Base
from kqi_hub.db.text import Amounts
from kqi_hub.domain.notebooks import Choices

_IS_LIVE = text("ended_at IS NULL")


class NotebookRow(Base):
    """A notebook; what it is found by stands apart from `choices`."""

    __tablename__ = "notebooks"

    number: Mapped[int] = mapped_column(ROW_NUMBER, primary_key=True)
    owner: Mapped[str]
    name: Mapped[str]
    tenant: Mapped[str]
    # SQLite takes no column without a value into a table that is there.
    queue: Mapped[str] = mapped_column(server_default=text("''"))
    memo: Mapped[str]
    choices: Mapped[Choices] = mapped_column(ChoicesText())
    created_at: Mapped[float]
    changed_at: Mapped[float]
    is_favourite: Mapped[bool]

    __table_args__ = (
        UniqueConstraint("owner", "name"),
        Index(None, "tenant", "number"),
        NEVER_AGAIN,
    )


class SessionRow(Base):
    """One run of a notebook; each phase has the time at which it was reached.

    That a notebook has at most one live session is the promise of an index: the
    database keeps it, whoever asks at once.
    """

    __tablename__ = "notebook_sessions"

    number: Mapped[int] = mapped_column(ROW_NUMBER, primary_key=True)
    notebook: Mapped[int] = mapped_column(BigInteger, ForeignKey("notebooks.number"))
    owner: Mapped[str]
    key: Mapped[str]
    chosen: Mapped[Choices] = mapped_column(ChoicesText())
    asked_at: Mapped[float]
    changed_at: Mapped[float]
    job_id: Mapped[int | None]
    node: Mapped[str]
    port: Mapped[int | None]
    queued_at: Mapped[float | None]
    node_at: Mapped[float | None]
    environment_at: Mapped[float | None]
    server_at: Mapped[float | None]
    ready_at: Mapped[float | None]
    stopping: Mapped[str | None]
    ended_at: Mapped[float | None]
    cause: Mapped[str | None]
    detail: Mapped[str]
    exit_code: Mapped[int | None]
    seen: Mapped[tuple[tuple[str, int], ...]] = mapped_column(Amounts())
    # Of sessions from before there was a book; nothing writes or reads it any more.
    per_hour: Mapped[int | None] = mapped_column(BigInteger)

    __table_args__ = (
        UniqueConstraint("key"),
        Index(None, "notebook", "number"),
        Index(None, "changed_at"),
        Index(None, "owner", "changed_at"),
        Index(
            "uq_notebook_sessions_live",
            "notebook",
            unique=True,
            sqlite_where=_IS_LIVE,
            postgresql_where=_IS_LIVE,
        ),
        Index(
            "ix_notebook_sessions_live_owner",
            "owner",
            sqlite_where=_IS_LIVE,
            postgresql_where=_IS_LIVE,
        ),
        NEVER_AGAIN,
    )
