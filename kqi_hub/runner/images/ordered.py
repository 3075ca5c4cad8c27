"""What an order says of the image that its run wants."""

from collections.abc import Mapping
from typing import Any

from kqi_hub.oci.documents import DIGEST
from kqi_hub.oci.http import Access
from kqi_hub.runner.images.fetching import Wanted


def wanted_image(told: Mapping[str, Any] | None) -> Wanted | None:
    """Return the image that is wanted; ValueError where it is not told whole."""
    if not told:
        return None
    digest = str(told["digest"])
    if DIGEST.fullmatch(digest) is None:
        raise ValueError("the image has no digest")
    access = Access(
        str(told["url"]),
        str(told.get("user") or ""),
        str(told.get("password") or ""),
        str(told.get("ca_file") or ""),
    )
    return Wanted(str(told["name"]), digest, str(told["repository"]), access)


def without_password(told: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Return the same for whoever may read it later."""
    return told and dict(told) | {"user": "", "password": ""}
