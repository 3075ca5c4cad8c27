"""All uploads: opened when somebody asks, closed when others are asked for."""

import shutil
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from kqi_hub.domain.data_ports import Published
from kqi_hub.domain.errors import NotFound, NotPermitted
from kqi_hub.domain.tickets import Ticket
from kqi_hub.store.errors import UploadOver, telling_full_disk
from kqi_hub.store.places import UPLOAD, Place, checked_name
from kqi_hub.store.tenants import Tenants
from kqi_hub.store.upload import Upload

# Kept open beside those that are in use.
_KEPT_OPEN: Final = 64
# A dropped upload leaves a mark for as long as a ticket for it may be about.
_GONE: Final = ".gone"


class Uploads:
    """Uploads by tenant and key."""

    def __init__(self, tenants: Tenants) -> None:
        self._tenants = tenants
        self._lock = threading.Lock()
        self._open: OrderedDict[tuple[str, str], Upload] = OrderedDict()
        self._users: dict[tuple[str, str], int] = {}

    @contextmanager
    def using(self, tenant: str, key: str) -> Iterator[Upload]:
        """Use an upload; NotFound if nothing has come for it."""
        name = (tenant, key)
        upload = self._take(name, "", may_begin=False)
        try:
            yield upload
        finally:
            self._leave(name)

    @contextmanager
    def for_publishing(
        self, tenant: str, key: str, announced: Published
    ) -> Iterator[Upload]:
        """Use an upload that may be empty: nothing came, and nothing was to come."""
        name = (tenant, key)
        upload = self._take(name, "", may_begin=announced == Published(0, 0))
        try:
            yield upload
        finally:
            self._leave(name)

    def keys(self, place: Place) -> list[str]:
        """Return the keys of a tenant's uploads."""
        return [one.name for one in place.incoming.iterdir() if is_upload(one.name)]

    def take(self, ticket: Ticket) -> Upload:
        """Use the upload of a ticket until `leave`; its first use makes it."""
        name = (ticket.tenant, ticket.upload)
        return self._take(name, ticket.person, may_begin=True)

    def leave(self, ticket: Ticket) -> None:
        """End what `take` began."""
        self._leave((ticket.tenant, ticket.upload))

    def drop(self, tenant: str, key: str) -> None:
        """Forget an upload; what it had is removed beside."""
        place = self._tenants.place(tenant)
        folder = place.upload(key)
        with self._lock:
            upload = self._open.pop((tenant, key), None)
            if upload is not None:
                upload.close()
            with telling_full_disk():
                (place.incoming / f"{key}{_GONE}").touch(mode=0o600)
        self._tenants.removal(tenant).take(folder)

    def forget_marks(self, place: Place, older_than_s: float) -> None:
        """Remove the marks of uploads whose tickets are too old by now."""
        for mark in place.incoming.glob(f"*{_GONE}"):
            if time.time() - mark.lstat().st_mtime > older_than_s:
                mark.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of everything."""
        with self._lock:
            while self._open:
                self._open.popitem()[1].close()

    def _take(self, name: tuple[str, str], person: str, *, may_begin: bool) -> Upload:
        with self._lock:
            upload = self._open.get(name)
            if upload is None:
                upload = self._opened(name, person, may_begin)
                self._open[name] = upload
            if person and upload.person != person:
                raise NotPermitted("This upload is somebody else's.")
            self._open.move_to_end(name)
            self._users[name] = self._users.get(name, 0) + 1
            self._close_some()
            return upload

    def _leave(self, name: tuple[str, str]) -> None:
        with self._lock:
            self._users[name] -= 1
            if not self._users[name]:
                del self._users[name]

    def _opened(self, name: tuple[str, str], person: str, may_begin: bool) -> Upload:
        tenant, key = name
        place = self._tenants.place(tenant)
        folder = place.upload(key)
        if not folder.is_dir():
            if (place.incoming / f"{key}{_GONE}").exists():
                raise UploadOver(
                    "This upload is over: it was published or dropped.",
                    "Ask the portal for a new one.",
                )
            if not may_begin:
                raise NotFound("Nothing has come for this upload.")
            with telling_full_disk():
                folder.mkdir(mode=0o700)
        try:
            return Upload(folder, self._tenants.contents(tenant), person)
        except BaseException:
            # A first contact on a full disk must not leave half an upload.
            if may_begin and not any(folder.glob("[0-9]*")):
                shutil.rmtree(folder, ignore_errors=True)
            raise

    def _close_some(self) -> None:
        for name in list(self._open):
            if len(self._open) <= _KEPT_OPEN:
                return
            if name not in self._users:
                self._open.pop(name).close()


def is_upload(name: str) -> bool:
    """Tell whether a name in the folder of uploads is one's key."""
    return UPLOAD.fullmatch(name) is not None


def checked_key(key: object) -> str:
    """Return an upload's key, or refuse it."""
    return checked_name(key, UPLOAD, "an upload's key")
