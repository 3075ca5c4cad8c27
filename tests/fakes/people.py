"""Fakes of where people's tenants and choices are kept."""

from dataclasses import dataclass, field

from kqi_hub.domain.cluster import Association, Qos
from kqi_hub.domain.errors import DatabaseNotReady
from kqi_hub.domain.preferences import Preferences


def association(user: str, account: str) -> Association:
    """Return who may submit where, with no limit."""
    return Association(account, user, "", "root", (), "", (), (), (), None, None, None)


@dataclass
class FakeAssociations:
    """Associations in memory; counts how often it is read."""

    held: tuple[Association, ...] = ()
    readings: int = 0
    limits: tuple[Qos, ...] = ()

    def qos(self) -> tuple[Qos, ...]:
        return self.limits

    def associations(self) -> tuple[Association, ...]:
        self.readings += 1
        return self.held


@dataclass
class FakePreferences:
    """Choices in memory."""

    held: dict[str, Preferences] = field(default_factory=dict)
    marks: dict[tuple[str, str], str] = field(default_factory=dict)

    def preferences(self, person: str) -> Preferences:
        return self.held.get(person, Preferences())

    def save(self, person: str, chosen: Preferences, now: float) -> None:
        self.held[person] = chosen

    def dismissed(self, person: str, notice: str) -> str:
        return self.marks.get((person, notice), "")

    def dismiss(self, person: str, notice: str, mark: str, now: float) -> None:
        self.marks[person, notice] = mark


class AbsentPreferences(FakePreferences):
    """A database that does not answer."""

    def preferences(self, person: str) -> Preferences:
        raise DatabaseNotReady(
            "The database postgresql+psycopg://kqi@db.internal/kqi does not answer."
        )
