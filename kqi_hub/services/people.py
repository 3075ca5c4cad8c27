"""Who somebody is in the portal: tenants and roles, never older than a few seconds."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from kqi_hub.domain.cluster import Association
from kqi_hub.domain.errors import NotPermitted
from kqi_hub.domain.people import GroupRules, Standing, standing

# Slurm's own top of the account tree: nobody's tenant.
_ROOT_ACCOUNT: Final = "root"


class AssociationStore(Protocol):
    """Who may submit to which Slurm account, as the worker last saw it."""

    def associations(self) -> tuple[Association, ...]:
        """Return all of them. Blocks: call it off the loop."""


@dataclass(frozen=True, slots=True)
class _Accounts:
    """The associations, sorted for quick answers."""

    tenants: frozenset[str] = frozenset()
    of_person: Mapping[str, frozenset[str]] = field(default_factory=dict)


class People:
    """Answer who may do what in which tenant; one reading serves everybody."""

    def __init__(
        self,
        store: AssociationStore,
        rules: GroupRules,
        max_age_s: float = 15.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._rules = rules
        self._max_age_s = max_age_s
        self._clock = clock
        self._accounts = _Accounts()
        self._read_at: float | None = None
        self._one_reader = asyncio.Lock()

    async def standing_of(self, name: str, groups: Collection[str]) -> Standing:
        """Return a person's roles; NotPermitted outside the portal's group."""
        if self._rules.portal_group not in groups:
            raise NotPermitted(
                "{person} may not use this portal.",
                "Ask its operators to be added to the group {group}.",
                person=name,
                group=self._rules.portal_group,
            )
        accounts = await self._fresh_accounts()
        submits_to = accounts.of_person.get(name, frozenset())
        return standing(name, groups, submits_to, accounts.tenants, self._rules)

    async def tenants(self) -> frozenset[str]:
        """Return every tenant of the cluster."""
        return (await self._fresh_accounts()).tenants

    async def _fresh_accounts(self) -> _Accounts:
        if self._is_old():
            async with self._one_reader:
                if self._is_old():
                    read = await asyncio.to_thread(self._store.associations)
                    self._accounts = _sorted_out(read)
                    self._read_at = self._clock()
        return self._accounts

    def _is_old(self) -> bool:
        return self._read_at is None or self._clock() - self._read_at > self._max_age_s


def tenants_of(associations: Iterable[Association]) -> frozenset[str]:
    """Return the Slurm accounts that are tenants."""
    return _sorted_out(associations).tenants


def _sorted_out(associations: Iterable[Association]) -> _Accounts:
    tenants: set[str] = set()
    of_person: dict[str, set[str]] = defaultdict(set)
    for association in associations:
        if association.account == _ROOT_ACCOUNT:
            continue
        tenants.add(association.account)
        if association.user:
            of_person[association.user].add(association.account)
    return _Accounts(
        frozenset(tenants),
        {person: frozenset(accounts) for person, accounts in of_person.items()},
    )
