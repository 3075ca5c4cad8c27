"""The tables of people's choices."""

from sqlalchemy.orm import Mapped, mapped_column

from kqi_hub.db.tables import Base


class PreferenceRow(Base):
    """What a person has chosen; empty where the site or the browser decides."""

    __tablename__ = "preferences"

    person: Mapped[str] = mapped_column(primary_key=True)
    language: Mapped[str | None]
    theme: Mapped[str | None]
    default_tenant: Mapped[str | None]
    opens_history: Mapped[bool | None]
    changed_at: Mapped[float]


class DismissedRow(Base):
    """A notice that a person does not want to see again, until it says more."""

    __tablename__ = "dismissed_notices"

    person: Mapped[str] = mapped_column(primary_key=True)
    notice: Mapped[str] = mapped_column(primary_key=True)
    mark: Mapped[str]
    at: Mapped[float]
