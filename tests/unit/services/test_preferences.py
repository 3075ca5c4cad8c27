"""People's choices: only of languages that there are, and of tenants of theirs."""

import pytest

from kqi_hub.domain.errors import InvalidInput
from kqi_hub.domain.people import Membership, Role, Standing
from kqi_hub.domain.preferences import Preferences, Theme
from kqi_hub.services import preferences
from tests.fakes.people import FakePreferences

MIA = Standing("mia", (Membership("vision", Role.VIEWER),))
LANGUAGES = ("en", "ja")


@pytest.mark.parametrize(
    "chosen",
    [
        Preferences(),
        Preferences("ja", Theme.DARK, "vision"),
        Preferences(theme=Theme.SYSTEM),
    ],
)
async def test_choices_are_kept(chosen: Preferences) -> None:
    store = FakePreferences()
    await preferences.save(store, MIA, chosen, LANGUAGES, 1.0)
    assert await preferences.read(store, "mia") == chosen
    assert await preferences.read(store, "max") == Preferences()


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        (Preferences("xx"), "no language xx"),
        (Preferences("JA"), "no language JA"),
        (Preferences(""), "no language"),
        (Preferences(default_tenant="nlp"), "tenant nlp"),
        (Preferences(default_tenant="{person}"), "tenant {person}"),
        (Preferences(default_tenant=""), "tenant"),
    ],
)
async def test_what_is_not_theirs_to_choose_is_refused_and_nothing_kept(
    chosen: Preferences, said: str
) -> None:
    store = FakePreferences()
    with pytest.raises(InvalidInput, match=said):
        await preferences.save(store, MIA, chosen, LANGUAGES, 1.0)
    assert store.held == {}
