"""The tables of tokens for running jobs (domain/job_tokens.py)."""

from sqlalchemy import BigInteger, Index
from sqlalchemy.orm import Mapped, mapped_column

from kqi_hub.db.tables import Base


class RunTicketRow(Base):
    """The digest of a ticket in the order of a job, by the job's key."""

    __tablename__ = "run_tickets"

    digest: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str]
    made_at: Mapped[float]

    __table_args__ = (Index(None, "key"), Index(None, "made_at"))


class RunTokenRow(Base):
    """The one token of a run: claimed, then made. It may outlive the run's row."""

    __tablename__ = "run_tokens"

    run: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    owner: Mapped[str]
    claimed_at: Mapped[float]
    token_id: Mapped[str | None]
    expires_at: Mapped[float | None]

    __table_args__ = (Index("uq_run_tokens_token_id", "token_id", unique=True),)
