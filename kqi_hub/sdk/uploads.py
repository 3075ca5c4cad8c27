"""Uploads, as answers and as calls of the client."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from kqi_hub.sdk.calls import part
from kqi_hub.sdk.data import DataCalls, DataItem
from kqi_hub.sdk.errors import NotReachable, PortalError, Refused
from kqi_hub.sdk.fold import Fold
from kqi_hub.sdk.local_files import Counted, Source, count, walk
from kqi_hub.sdk.models import Answer
from kqi_hub.sdk.upload_progress import Meter, Tell
from kqi_hub.sdk.uploader import CONNECTIONS, PATIENCE_S, Uploader

_LOOK_EVERY_S: Final = 1.0
# While files are made to show, the portal or the store may be started anew.
_AWAY_S: Final = 120.0
_PASSING: Final = frozenset({502, 503, 504})
_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class Upload(Answer):
    """Files on their way into a data item."""

    key: str
    data_id: int
    tenant: str = ""
    state: str = "open"
    files: int = 0
    bytes: int = 0
    began_at: float = 0.0
    expires_at: float = 0.0
    received_files: int | None = None
    received_bytes: int | None = None
    url: str = ""
    ticket: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Sending:
    """How to send: connections at once, how long to try, whom to tell."""

    connections: int = CONNECTIONS
    patience_s: float = PATIENCE_S
    tell: Tell | None = None


class UploadCalls(DataCalls):
    """The part of `Client` that sends files."""

    def create_data(  # noqa: PLR0913 - each is a field of the request
        self,
        tenant: str,
        name: str,
        sources: Sequence[Source],
        *,
        memo: str = "",
        tags: Sequence[str] = (),
        parents: Sequence[int] = (),
        sending: Sending | None = None,
        begun: Callable[[Upload], None] | None = None,
    ) -> DataItem:
        """Make a data item of files and folders here; it shows when all are there.

        `begun` is given the upload before anything is sent: with its key it goes on
        after any interruption (`resume_upload`).
        """
        counted = count(sources)
        upload = self.begin_data(
            tenant, name, counted, memo=memo, tags=tags, parents=parents
        )
        made, sent = self._send(upload, sources, sending, begun)
        self._compare(made, sent)
        return made

    def begin_data(  # noqa: PLR0913 - each is a field of the request
        self,
        tenant: str,
        name: str,
        counted: Counted,
        *,
        memo: str = "",
        tags: Sequence[str] = (),
        parents: Sequence[int] = (),
        origin: str = "upload",
    ) -> Upload:
        """Make a data item that nobody sees yet, and return the upload for it."""
        asked: dict[str, object] = {
            "tenant": tenant,
            "name": name,
            "memo": memo,
            "tags": list(tags),
            "parents": list(parents),
            "origin": origin,
            "files": counted.files,
            "bytes": counted.bytes,
        }
        return Upload.read(self._api("POST", "data", asked)["upload"])

    def add_data_files(
        self,
        data_id: int,
        sources: Sequence[Source],
        *,
        sending: Sending | None = None,
        begun: Callable[[Upload], None] | None = None,
    ) -> DataItem:
        """Put more files into a data item that nothing needs as it is."""
        counted = count(sources)
        asked = {"files": counted.files, "bytes": counted.bytes}
        upload = Upload.read(self._api("POST", f"data/{data_id}/uploads", asked))
        return self._send(upload, sources, sending, begun)[0]

    def uploads(self, tenant: str | None = None) -> tuple[Upload, ...]:
        """Return one's own under way and lately dropped, with what has come of them."""
        path = "uploads" if tenant is None else f"uploads?tenant={part(tenant)}"
        return tuple(Upload.read(one) for one in self._api("GET", path)["uploads"])

    def upload(self, key: str) -> Upload:
        """Return one's own, with a fresh ticket while it is open."""
        return Upload.read(self._api("GET", f"uploads/{part(key)}"))

    def resume_upload(
        self, key: str, sources: Sequence[Source], *, sending: Sending | None = None
    ) -> DataItem:
        """Send what the store has not, from wherever it was interrupted, and finish."""
        for _ in range(_TRIES):
            upload = self.upload(key)
            if upload.state == "open":
                self.send_files(upload, sources, sending or Sending(), is_new=False)
            try:
                return self.finish_upload(key)
            except Refused as error:
                # A store that was ended by force may have less than it had said.
                if error.code != "incomplete":
                    raise
                refusal = error
        raise refusal

    def send_files(
        self,
        upload: Upload,
        sources: Sequence[Source],
        sending: Sending,
        *,
        is_new: bool,
    ) -> Fold:
        """Send files to the store and return what was sent; nothing shows yet."""
        meter = Meter(upload.files, upload.bytes)
        wire = self._wire(
            upload.url, upload.ticket, lambda: self.upload(upload.key).ticket
        )
        uploader = Uploader(
            wire,
            meter,
            sending.tell,
            connections=sending.connections,
            patience_s=sending.patience_s,
        )
        uploader.send(walk(sources), is_new=is_new)
        return uploader.fold

    def finish_upload(self, key: str) -> DataItem:
        """Let the files show, all at once, and return the data item."""
        path, away_since = f"uploads/{part(key)}/finish", None
        while True:
            try:
                said = self._api("POST", path)
            except PortalError as error:
                now = time.monotonic()
                away_since = away_since or now
                if not _passes(error) or now - away_since > _AWAY_S:
                    raise
            else:
                if said["data"] is not None:
                    return DataItem.read(said["data"])
                away_since = None
            time.sleep(_LOOK_EVERY_S)

    def drop_upload(self, key: str) -> None:
        """Give an upload up, and what has come of it."""
        self._api("DELETE", f"uploads/{part(key)}")

    def _send(
        self,
        upload: Upload,
        sources: Sequence[Source],
        sending: Sending | None,
        begun: Callable[[Upload], None] | None,
    ) -> tuple[DataItem, Fold]:
        if begun is not None:
            begun(upload)
        sent = self.send_files(upload, sources, sending or Sending(), is_new=True)
        try:
            return self.finish_upload(upload.key), sent
        except Refused as error:
            if error.code != "incomplete":
                raise
        return self.resume_upload(upload.key, sources, sending=sending), sent

    def _compare(self, made: DataItem, sent: Fold) -> None:
        """Compare the hashes of what the store keeps with those of what was sent."""
        kept = Fold()
        for one in self.data_files(made.id):
            kept.add(one.path, one.sha256)
        if kept != sent:
            raise PortalError(
                f"Data {made.id} are not what was sent: their hashes differ.",
                f"Do not use them. Delete them and send them again, and tell the "
                f"operators: kqi data delete {made.id}",
            )


def _passes(error: PortalError) -> bool:
    """Tell whether it may be otherwise in a moment; the first answer is not lost."""
    if isinstance(error, Refused):
        return error.status in _PASSING
    return isinstance(error, NotReachable)
