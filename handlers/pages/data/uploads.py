"""Uploads of one's own that are not finished, as pages show them."""

import time
from dataclasses import dataclass

from handlers.ask import Ask
from kqi_hub.domain.data import Upload, UploadState
from kqi_hub.domain.data_ports import Received


@dataclass(frozen=True, slots=True)
class Line:
    """One upload; `received` is None where the store does not say."""

    upload: Upload
    name: str
    received: Received | None

    @property
    def is_over(self) -> bool:
        """Tell whether it was removed because nothing came any more."""
        return self.upload.state is UploadState.DROPPED

    @property
    def is_publishing(self) -> bool:
        """Tell whether all has come and is being put in place."""
        return self.upload.state is UploadState.PUBLISHING


async def open_uploads(
    ask: Ask, tenant: str | None, data_id: int | None = None
) -> tuple[Line, ...]:
    """Return one's own uploads in a tenant, all of them or those into one item."""
    found = await ask.deps.uploads.mine(ask.asker, tenant)
    now = time.time()
    return tuple(
        Line(one.upload, one.name or f"#{one.upload.data_id}", one.received)
        for one in found
        if _is_shown(one.upload, now) and data_id in {None, one.upload.data_id}
    )


def _is_shown(upload: Upload, now: float) -> bool:
    """Tell whether it goes on, or ended without its person's doing."""
    if upload.state is UploadState.DROPPED:
        return upload.expires_at <= now
    return upload.state is not UploadState.DONE
