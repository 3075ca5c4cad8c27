"""Keep what a person has chosen: language, colours, usual tenant, where to go."""

import asyncio
from collections.abc import Collection
from dataclasses import replace

from kqi_hub.domain.errors import InvalidInput
from kqi_hub.domain.people import Standing
from kqi_hub.domain.preferences import Preferences, PreferenceStore


async def read(store: PreferenceStore, person: str) -> Preferences:
    """Return a person's choices."""
    return await asyncio.to_thread(store.preferences, person)


async def save(
    store: PreferenceStore,
    who: Standing,
    chosen: Preferences,
    languages: Collection[str],
    now: float,
) -> Preferences:
    """Replace a person's choices; InvalidInput for a language or tenant not theirs."""
    if chosen.language is not None and chosen.language not in languages:
        raise InvalidInput(
            "There is no language {language} here.",
            "Choose one of: {languages}.",
            language=chosen.language,
            languages=", ".join(sorted(languages)),
        )
    if chosen.default_tenant is not None:
        _refuse_foreign(who, chosen.default_tenant)
    await asyncio.to_thread(store.save, who.person, chosen, now)
    return chosen


async def remember_history(
    store: PreferenceStore, person: str, before: Preferences, opens: bool, now: float
) -> None:
    """Keep whether the history is opened after a start, where that is another one."""
    if opens is not before.opens_history:
        chosen = replace(before, opens_history=opens)
        await asyncio.to_thread(store.save, person, chosen, now)


def _refuse_foreign(who: Standing, tenant: str) -> None:
    if who.role_in(tenant) is None:
        raise InvalidInput(
            "You do not belong to a tenant {tenant}.",
            "Choose one of: {tenants}.",
            tenant=tenant,
            tenants=", ".join(m.tenant for m in who.memberships) or "-",
        )
