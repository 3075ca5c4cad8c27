"""People's choices, on both databases."""

import pytest
from sqlalchemy import Engine

from kqi_hub.db import schema
from kqi_hub.db.preferences import SqlPreferenceStore
from kqi_hub.domain.preferences import Preferences, Theme

CHOSEN = Preferences("ja", Theme.DARK, "vision")


@pytest.fixture
def choices(engine: Engine) -> SqlPreferenceStore:
    schema.upgrade(engine)
    return SqlPreferenceStore(engine)


def test_who_has_chosen_nothing_has_no_choices(choices: SqlPreferenceStore) -> None:
    assert choices.preferences("mia") == Preferences()


@pytest.mark.parametrize(
    "chosen",
    [CHOSEN, Preferences(), Preferences(theme=Theme.SYSTEM)]
    + [Preferences(opens_history=opens) for opens in (True, False)],
)
def test_choices_come_back_as_they_were_kept(
    choices: SqlPreferenceStore, chosen: Preferences
) -> None:
    choices.save("mia", chosen, 1.0)
    assert choices.preferences("mia") == chosen


def test_a_new_choice_replaces_the_whole_old_one(choices: SqlPreferenceStore) -> None:
    choices.save("mia", CHOSEN, 1.0)
    choices.save("mia", Preferences("ko"), 2.0)
    assert choices.preferences("mia") == Preferences("ko")


@pytest.mark.parametrize("person", ["o'brien", 'mia"; DROP TABLE preferences;--', "日"])
def test_everybody_has_choices_of_their_own(
    choices: SqlPreferenceStore, person: str
) -> None:
    choices.save("mia", CHOSEN, 1.0)
    choices.save(person, Preferences("ko"), 1.0)
    assert choices.preferences("mia") == CHOSEN
    assert choices.preferences(person) == Preferences("ko")


def test_a_dismissed_notice_is_known_by_its_last_mark(
    choices: SqlPreferenceStore,
) -> None:
    assert choices.dismissed("mia", "budget:vision") == ""
    choices.dismiss("mia", "budget:vision", "202611 50", 1.0)
    choices.dismiss("mia", "budget:vision", "202611 80", 2.0)
    choices.dismiss("mia", "budget:'; --", "x", 2.0)
    assert choices.dismissed("mia", "budget:vision") == "202611 80"
    assert choices.dismissed("max", "budget:vision") == ""
