"""How uploads look as JSON, and the way there from the services' own types."""

from typing import Final

from pydantic import Field

from handlers.api.data_models import Data
from handlers.route import Model
from kqi_hub.domain.data import UploadState
from kqi_hub.services.uploads import Pass

EXAMPLE: Final = {"key": "abcdefghijklmnopqrstuvwxyz"}


class Upload(Model):
    """Files on their way into a data item. Times are seconds since 1970."""

    key: str = Field(description="Its name.")
    data_id: int = Field(description="Number of the data item.")
    tenant: str = Field(description="Its tenant.")
    state: UploadState = Field(description="How far it is.")
    files: int = Field(description="How many files were announced.")
    bytes: int = Field(description="How many bytes were announced.")
    began_at: float = Field(description="When it began.")
    expires_at: float = Field(description="When it is dropped if nothing comes.")
    received_files: int | None = Field(
        description="How many files the store has whole; none: not known."
    )
    received_bytes: int | None = Field(
        description="How many bytes the store has; none: not known."
    )
    url: str = Field(
        description="Where to send, from the site's address on; empty: it has ended."
    )
    ticket: str = Field(description="Send it there as Authorization: Bearer.")


class Begun(Model):
    """A data item that nobody sees yet, and the upload that fills it."""

    data: Data = Field(description="The data item.")
    upload: Upload = Field(description="Where to send its files.")


class MoreFiles(Model):
    """How much will be sent."""

    files: int = Field(strict=True, ge=0, le=2**53, description="How many files.")
    bytes: int = Field(
        strict=True, ge=0, le=2**60, description="How many bytes they have."
    )


class UploadList(Model):
    """Uploads of yours, the newest first; tickets come one by one."""

    uploads: tuple[Upload, ...] = Field(description="The uploads.")


class Finished(Model):
    """What became of an upload."""

    state: UploadState = Field(description="publishing: ask again; done: it shows.")
    data: Data | None = Field(description="The data item, once it shows.")


def upload(found: Pass) -> Upload:
    """Return an upload as JSON."""
    about, received = found.upload, found.received
    return Upload(
        key=about.key,
        data_id=about.data_id,
        tenant=about.tenant,
        state=about.state,
        files=about.files,
        bytes=about.bytes,
        began_at=about.began_at,
        expires_at=about.expires_at,
        received_files=received.files if received else None,
        received_bytes=received.bytes if received else None,
        url=found.path,
        ticket=found.ticket,
    )
