"""Tell the hub why the server is about to end."""

import asyncio
import json
import logging
import os
from collections.abc import Mapping
from typing import Final

from jupyterhub.httpclient import fetch

_TRIES: Final = 3
_TIMEOUT_S: Final = 3.0
_PAUSE_S: Final = 0.5
_MOST_COUNTS: Final = 8


async def tell_ending(why: str, seen: Mapping[str, int], log: logging.Logger) -> None:
    """Tell it, and give up after some seconds: the end does not wait for the hub."""
    url = os.environ.get("JUPYTERHUB_API_URL", "").rstrip("/") + "/kqi/session"
    counts = dict(list(seen.items())[:_MOST_COUNTS])
    headers = {
        "Authorization": f"token {os.environ.get('JUPYTERHUB_API_TOKEN', '')}",
        "Content-Type": "application/json",
    }
    body = json.dumps({"ending": why, "seen": counts})
    for left in reversed(range(_TRIES)):
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                await fetch(url, method="POST", headers=headers, data=body)
        except Exception as error:  # noqa: BLE001  # whatever it is, the end comes
            log.warning("The hub was not told of the end: %s", error)
        else:
            return
        if left:
            await asyncio.sleep(_PAUSE_S)
