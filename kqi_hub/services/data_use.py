"""What a tenant and its people keep in the store, beside their quotas."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from kqi_hub.domain.data import StoreUse
from kqi_hub.domain.data_item_ports import DataStore, PersonUse
from kqi_hub.domain.data_ports import Kept, Store
from kqi_hub.domain.errors import StoreError
from kqi_hub.domain.people import Role
from kqi_hub.domain.upload_ports import Quota, Quotas
from kqi_hub.services.tenant_rights import Asker, require


class Of(StrEnum):
    """Whose quota a caution is about."""

    TENANT = "tenant"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Caution:
    """So many percent of a quota are used; `what` is `bytes` or `files`."""

    whose: Of
    name: str
    what: str
    percent: int


@dataclass(frozen=True, slots=True)
class TenantUse:
    """What a tenant keeps: by the lists, by the disk, and by person.

    `kept` is None while the store does not answer, or was not asked.
    """

    tenant: str
    use: StoreUse
    people: tuple[PersonUse, ...]
    kept: Kept | None
    cautions: tuple[Caution, ...]


@dataclass(frozen=True)
class DataUse:
    """Answer how much is kept; one a process."""

    items: DataStore
    store: Store
    quotas: Callable[[str], Quotas]
    warn_percent: int = 80

    async def of(
        self, asker: Asker, tenant: str, *, with_disk: bool = False
    ) -> TenantUse:
        """Return what a tenant keeps; `with_disk` asks the store, which takes time."""
        require(asker, tenant, Role.VIEWER)
        quotas = self.quotas(tenant)
        use, people = await asyncio.to_thread(
            lambda: (self.items.use(tenant), self.items.use_by_person(tenant))
        )
        told = _with_quota(use, quotas.tenant)
        each = tuple(
            replace(one, use=_with_quota(one.use, quotas.person)) for one in people
        )
        cautions = [
            *self._cautions(Of.TENANT, tenant, told),
            *(o for p in each for o in self._cautions(Of.PERSON, p.person, p.use)),
        ]
        kept = await self._kept(tenant) if with_disk else None
        return TenantUse(tenant, told, each, kept, tuple(cautions))

    def _cautions(self, whose: Of, name: str, use: StoreUse) -> Iterator[Caution]:
        percents = {
            "bytes": _percent(use.bytes + use.uploading_bytes, use.most_bytes),
            "files": _percent(use.files, use.most_files),
        }
        for what, percent in percents.items():
            if percent >= self.warn_percent:
                yield Caution(whose, name, what, percent)

    async def _kept(self, tenant: str) -> Kept | None:
        try:
            return await self.store.kept(tenant)
        except StoreError:
            return None


def _with_quota(use: StoreUse, quota: Quota) -> StoreUse:
    return replace(use, most_files=quota.most_files, most_bytes=quota.most_bytes)


def _percent(has: int, most: int | None) -> int:
    return has * 100 // most if most else 0
