"""What belongs to each tenant: a place, its contents, what is being removed."""

import threading
from dataclasses import dataclass

from kqi_hub.store.contents import Contents
from kqi_hub.store.places import Place, Root
from kqi_hub.store.removal import Removal


@dataclass(frozen=True, slots=True)
class _Tenant:
    place: Place
    contents: Contents
    removal: Removal


class Tenants:
    """Every tenant's things, made when first asked for."""

    def __init__(self, root: Root) -> None:
        self.root = root
        self._lock = threading.Lock()
        self._known: dict[str, _Tenant] = {}

    def place(self, tenant: str) -> Place:
        """Return where it lies."""
        return self._one(tenant).place

    def contents(self, tenant: str) -> Contents:
        """Return its contents."""
        return self._one(tenant).contents

    def removal(self, tenant: str) -> Removal:
        """Return what is on its way out."""
        return self._one(tenant).removal

    def take_up(self) -> None:
        """Go on with what a former process left."""
        for tenant in self.root.tenants():
            self._one(tenant)

    def _one(self, tenant: str) -> _Tenant:
        with self._lock:
            known = self._known.get(tenant)
            if known is None:
                place = self.root.place(tenant)
                contents = Contents(place.objects)
                removal = Removal(place.removing, contents)
                known = self._known[tenant] = _Tenant(place, contents, removal)
            return known
