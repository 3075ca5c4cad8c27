"""Give a proxy that was restarted its routes back within seconds.

It runs apart from the hub and keeps its routes in memory. JupyterHub compares them with
its own every five minutes, at the cost of two queries for each server.
"""

import asyncio
import logging
from http import HTTPStatus
from typing import Any, Final

from tornado.httpclient import AsyncHTTPClient

log = logging.getLogger("kqi_hub.proxy_routes")
_EVERY_S: Final = 2.0
_SERVICE: Final = "portal"


async def keep_routes(app: Any) -> None:
    """Ask for one route again and again; where it is gone, all of them are."""
    client = AsyncHTTPClient(force_instance=True)
    while True:
        await asyncio.sleep(_EVERY_S)
        if await _has_forgotten(app, client):
            log.warning("The proxy has no routes: it was restarted. It gets them back.")
            # Whatever goes wrong, such as its next end, the next round sees.
            given = asyncio.ensure_future(
                app.proxy.check_routes(app.users, app._service_map)
            )
            await asyncio.wait({given})
            if (error := given.exception()) is not None:
                log.warning("The proxy did not take its routes: %s", error)


async def _has_forgotten(app: Any, client: AsyncHTTPClient) -> bool:
    services = getattr(app, "_service_map", None) or {}
    proxy, service = getattr(app, "proxy", None), services.get(_SERVICE)
    if proxy is None or service is None:
        return False  # the hub is not that far yet
    path = service.proxy_spec.strip("/")
    try:
        answer = await client.fetch(
            f"{proxy.api_url.rstrip('/')}/api/routes/{path}",
            headers={"Authorization": f"token {proxy.auth_token}"},
            raise_error=False,
            request_timeout=_EVERY_S,
        )
    except OSError:
        return False  # it is away: the hub cannot tell it anything now
    return answer.code == HTTPStatus.NOT_FOUND
