"""Tell the hub how far a job has come, without ever waiting for it.

A hub that is away for a while must not keep a notebook from starting: what is to be
told waits in a line, in its order, and is told again until the hub has it.
"""

import http.client
import json
import queue
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlsplit

_TIMEOUT_S: Final = 5.0
_PAUSES_S: Final = (0.2, 0.5, 1.0, 2.0, 5.0)
# A hub that starts anew knows the server again after some seconds, and refuses before.
_PATIENCE_S: Final = 1800.0
_REFUSED_PATIENCE_S: Final = 120.0

Body = Mapping[str, object]


class HubVoice:
    """The line of what is to be told, and the thread that tells it."""

    def __init__(self, hub: Mapping[str, str], say: Callable[[str], None]) -> None:
        self._url = hub.get("JUPYTERHUB_API_URL", "")
        self._token = hub.get("JUPYTERHUB_API_TOKEN", "")
        self._say = say
        self._line: queue.SimpleQueue[tuple[str, Body] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._tell_all, daemon=True)
        self._thread.start()

    def phase(self, name: str) -> None:
        """Tell that a phase has begun."""
        self._line.put(("/kqi/session", {"phase": name}))

    def port(self, number: int) -> None:
        """Tell on which port the server listens."""
        self._line.put(("/batchspawner", {"port": number}))

    def ended(self, exit_code: int, patience_s: float = 10.0) -> None:
        """Tell the end, as the last thing; return at the latest after the patience."""
        self._line.put(("/kqi/session", {"ended": {"exit_code": exit_code}}))
        self._line.put(None)
        self._thread.join(patience_s)

    def _tell_all(self) -> None:
        while (next_one := self._line.get()) is not None:
            self._tell(*next_one)

    def _tell(self, path: str, body: Body) -> None:
        begun, tries, problem = time.monotonic(), 0, ""
        while True:
            said, is_final = self._try(path, body)
            if not said:
                if problem:
                    self._say(f"The hub answers again; it knows now: {_brief(body)}.")
                return
            if said != problem:
                problem = said
                self._say(f"The hub could not be told {_brief(body)}: {said}.")
            patience = _REFUSED_PATIENCE_S if is_final else _PATIENCE_S
            if is_final and "port" not in body:
                return
            if time.monotonic() - begun > patience:
                self._say("The hub is told no more of this.")
                return
            time.sleep(_PAUSES_S[min(tries, len(_PAUSES_S) - 1)])
            tries += 1

    def _try(self, path: str, body: Body) -> tuple[str, bool]:
        """Return what went wrong, empty for nothing, and whether the hub said no."""
        try:
            status = self._post(path, body)
        except (OSError, http.client.HTTPException, ValueError) as error:
            return f"{type(error).__name__}: {error}", False
        if 200 <= status < 300:
            return "", False
        return f"it answered {status}", 400 <= status < 500

    def _post(self, path: str, body: Body) -> int:
        url = urlsplit(self._url)
        kind = (
            http.client.HTTPSConnection
            if url.scheme == "https"
            else http.client.HTTPConnection
        )
        connection = kind(url.hostname or "", url.port, timeout=_TIMEOUT_S)
        try:
            connection.request(
                "POST",
                url.path.rstrip("/") + path,
                json.dumps(body).encode(),
                {
                    "Authorization": f"token {self._token}",
                    "Content-Type": "application/json",
                },
            )
            answer = connection.getresponse()
            answer.read(1 << 16)
            return answer.status
        finally:
            connection.close()


def _brief(body: Body) -> str:
    return json.dumps(body)
