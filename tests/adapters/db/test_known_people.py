"""What people are called is kept from their logins, on both databases."""

import pytest
from sqlalchemy import Engine

from kqi_hub.db import schema
from kqi_hub.db.engine import reading
from kqi_hub.db.known_people import SqlKnownPeople, names_of_people
from kqi_hub.db.runs import SqlRunStore
from kqi_hub.domain.people import Person
from kqi_hub.domain.run_ports import NewRun
from kqi_hub.domain.runs import RunKind, RunSpec

SPEC = RunSpec("first", "vision", "cpu", "true")


@pytest.fixture
def ready(engine: Engine) -> Engine:
    schema.upgrade(engine)
    return engine


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Mia Müller", "Mia Müller"),
        ("日本 太郎", "日本 太郎"),
        ("mia", None),
        ("", None),
        (" \n\t\0", None),
        ("Mia\nMüller\0", "Mia Müller"),
        ("Mia \u202egnp.exe", "Mia gnp.exe"),
        ("\ud800Mia", "Mia"),
        ("<b>'\"; DROP TABLE runs;--", "<b>'\"; DROP TABLE runs;--"),
        ("é" * 5000, "é" * 100),
    ],
)
def test_names_are_kept_as_they_can_be_shown(
    ready: Engine, name: str, shown: str | None
) -> None:
    people = SqlKnownPeople(ready)
    people.seen(Person("mia", 2001, "Old Name"), 1.0)
    people.seen(Person("mia", 2001, name), 2.0)
    with reading(ready) as connection:
        found = names_of_people(connection, {"mia", "never-seen"})
    assert found == ({} if shown is None else {"mia": shown})


def test_a_list_of_runs_has_the_names_of_their_owners(ready: Engine) -> None:
    runs = SqlRunStore(ready)
    SqlKnownPeople(ready).seen(Person("mia", 2001, "Mia Müller"), 1.0)
    asked = [
        runs.ask(NewRun(RunKind.TRAINING, owner, owner, SPEC), 1.0)
        for owner in ("mia", "max")
    ]
    assert runs.names(asked).people == {"mia": "Mia Müller"}
    assert runs.names(asked[1:]).people == {}
    assert runs.names([]).people == {}
