"""People's choices in the database."""

from typing import Final, cast

from sqlalchemy import Engine, Table, select

from kqi_hub.db.engine import reading, writing
from kqi_hub.db.preference_tables import DismissedRow, PreferenceRow
from kqi_hub.db.upsert import upsert
from kqi_hub.domain.preferences import Preferences, Theme

_CHOICES: Final = cast(Table, PreferenceRow.__table__)
_DISMISSED: Final = cast(Table, DismissedRow.__table__)


class SqlPreferenceStore:
    """A PreferenceStore (domain/preferences.py); any thread may call it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def preferences(self, person: str) -> Preferences:
        """Return the person's choices; nothing chosen for people not seen before."""
        columns = _CHOICES.c
        query = select(_CHOICES).where(columns.person == person)
        with reading(self._engine) as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return Preferences()
        theme = None if row.theme is None else Theme(row.theme)
        return Preferences(row.language, theme, row.default_tenant, row.opens_history)

    def save(self, person: str, chosen: Preferences, now: float) -> None:
        """Replace the person's choices."""
        row = {
            "person": person,
            "language": chosen.language,
            "theme": None if chosen.theme is None else chosen.theme.value,
            "default_tenant": chosen.default_tenant,
            "opens_history": chosen.opens_history,
            "changed_at": now,
        }
        with writing(self._engine) as connection:
            connection.execute(upsert(connection, _CHOICES), row)

    def dismissed(self, person: str, notice: str) -> str:
        """Return the mark of a notice when the person dismissed it; empty: never."""
        columns = _DISMISSED.c
        query = select(columns.mark).where(
            columns.person == person, columns.notice == notice
        )
        with reading(self._engine) as connection:
            return connection.scalar(query) or ""

    def dismiss(self, person: str, notice: str, mark: str, now: float) -> None:
        """Note that the person does not want to see a notice as it is now."""
        row = {"person": person, "notice": notice, "mark": mark, "at": now}
        with writing(self._engine) as connection:
            connection.execute(upsert(connection, _DISMISSED), row)
