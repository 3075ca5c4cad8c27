"""The table of orders to close a month."""

from sqlalchemy import Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from kqi_hub.db.login_tables import ROW_NUMBER
from kqi_hub.db.tables import Base


class CloseOrderRow(Base):
    """An order as in `domain.close_orders.CloseOrder`; `why` is JSON."""

    __tablename__ = "close_orders"

    id: Mapped[int] = mapped_column(ROW_NUMBER, primary_key=True)
    cluster: Mapped[str]
    period: Mapped[int]
    author: Mapped[str]
    address: Mapped[str]
    confirmation: Mapped[str]
    accepted: Mapped[int]
    asked_at: Mapped[float]
    step: Mapped[str]
    changed_at: Mapped[float]
    is_open: Mapped[bool]
    read_to: Mapped[int | None]
    runs_read: Mapped[int]
    runs_changed: Mapped[int]
    differences: Mapped[int | None]
    why: Mapped[str] = mapped_column(Text)

    __table_args__ = (
        Index(None, "cluster", "is_open"),
        Index(None, "cluster", "period", "id"),
    )
