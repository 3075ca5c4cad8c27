"""Whether a quota leaves room; what uploads have announced counts as used."""

from dataclasses import dataclass

from kqi_hub.domain.data_errors import no_room_for_bytes, no_room_for_files
from kqi_hub.domain.upload_ports import NewUpload, Quota


@dataclass(frozen=True, slots=True)
class Used:
    """What is published and announced, of a tenant or of a person in it."""

    files: int
    bytes: int


def check_room(whose: str, used: Used, quota: Quota, new: NewUpload) -> None:
    """Refuse an upload that a quota has no room for."""
    if quota.most_bytes is not None and used.bytes + new.bytes > quota.most_bytes:
        raise no_room_for_bytes(whose, used.bytes, quota.most_bytes, new.bytes)
    if quota.most_files is not None and used.files + new.files > quota.most_files:
        raise no_room_for_files(whose, used.files, quota.most_files, new.files)
