"""Find out at once when a server answers: JupyterHub's own probe waits ever longer."""

import asyncio
from collections.abc import Callable
from typing import Final

from tornado.httpclient import AsyncHTTPClient, HTTPResponse

_EVERY_S: Final = 0.05
# A server may listen before it answers; the answer to the first request is waited for.
_ONE_TRY_S: Final = 20.0
_BROKEN: Final = 500


async def first_answer(
    url: str, longest_s: float, hopeless: Callable[[], bool]
) -> HTTPResponse | None:
    """Return a server's first answer; None when its time is up, or it is hopeless."""
    client = AsyncHTTPClient(force_instance=True)
    try:
        async with asyncio.timeout(longest_s):
            while not hopeless():
                answer = await _try(client, url, hopeless)
                if answer is not None:
                    return answer
                await asyncio.sleep(_EVERY_S)
    except TimeoutError:
        return None
    finally:
        client.close()
    return None


async def _try(
    client: AsyncHTTPClient, url: str, hopeless: Callable[[], bool]
) -> HTTPResponse | None:
    asked = asyncio.ensure_future(
        client.fetch(
            url, raise_error=False, follow_redirects=False, request_timeout=_ONE_TRY_S
        )
    )
    while not asked.done() and not hopeless():
        await asyncio.wait({asked}, timeout=0.25)
    if not asked.done():
        asked.cancel()
        return None
    try:
        answer = asked.result()
    except OSError:
        return None
    # Tornado's client says 599 for a connection that failed or was cut off.
    return answer if answer.code < _BROKEN else None
