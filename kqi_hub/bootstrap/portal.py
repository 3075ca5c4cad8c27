"""What the portal's pages are made of, joined."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from kqi_hub.bootstrap.database import open_association_store, open_database
from kqi_hub.db import schema
from kqi_hub.db.preferences import SqlPreferenceStore
from kqi_hub.db.run_searches import SqlRunSearchStore
from kqi_hub.domain.people import GroupRules
from kqi_hub.domain.preferences import PreferenceStore
from kqi_hub.services.people import AssociationStore, People
from kqi_hub.services.run_searches import RunSearches
from kqi_hub.settings.model import Settings


@dataclass(frozen=True, slots=True)
class PortalParts:
    """The services of one portal process, on one database engine."""

    engine: Engine
    people: People
    preferences: PreferenceStore
    searches: RunSearches


def open_portal(
    settings: Settings, associations: AssociationStore | None = None
) -> PortalParts:
    """Return the portal's services; DatabaseNotReady with another schema than ours."""
    engine = open_database(settings)
    schema.check(engine)
    rules = GroupRules(settings.people.group, settings.people.operators_group)
    return PortalParts(
        engine=engine,
        people=People(associations or open_association_store(settings, engine), rules),
        preferences=SqlPreferenceStore(engine),
        searches=RunSearches(
            SqlRunSearchStore(engine), ZoneInfo(settings.site.timezone)
        ),
    )
