"""Ask one's own agent: it is started by the portal, and answers for itself."""

import time
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final

import httpx2

from kqi_hub.sdk.calls import Calls
from kqi_hub.sdk.errors import NotReachable, Refused
from kqi_hub.sdk.notebooks import Way

START_S: Final = 30.0
_PAUSE_S: Final = 0.5
_JSON: Final = {"Accept": "application/json"}
# A body is asked for anew at every attempt: what was sent cannot be sent again.
Body = Callable[[], Iterator[bytes]]


class AgentRefused(Refused):
    """The agent says no; `said` is all of its answer."""

    def __init__(self, status: int, said: Mapping[str, Any]) -> None:
        texts = [str(said.get(name) or "") for name in ("error", "message", "hint")]
        super().__init__(status, *texts)
        self.said = said
        # The task that is in the way, if one is.
        self.task = str(said.get("task") or "")


class AgentCalls(Calls):
    """The part of `Client` that the parts for one's own agent stand on."""

    _way: Way | None = None
    _renew_at: float = 0.0

    @abstractmethod
    def _open(
        self, method: str, url: str, headers: Mapping[str, str], body: Body | None
    ) -> AbstractContextManager[httpx2.Response]:
        """Ask a server of one's own; the answer's body is still to be read."""

    def _agent_json(
        self, method: str, path: str, body: Mapping[str, object] | None = None
    ) -> Any:
        return self._agent(method, path, body).json()

    def _agent(
        self, method: str, path: str, body: Mapping[str, object] | None = None
    ) -> httpx2.Response:
        """Ask the agent; while it starts, the hub answers in its place."""
        until = time.monotonic() + START_S
        while True:
            way = self._known_way()
            answer = self._fetch(method, f"{way.url}api/{path}", way.token, body)
            if is_from_agent(answer):
                return answer
            self._wait_for_start(answer, until)

    @contextmanager
    def _agent_stream(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] = _JSON,
        body: Body | None = None,
    ) -> Iterator[httpx2.Response]:
        """Ask the agent for what is read, or sent, piece by piece."""
        until = time.monotonic() + START_S
        try:
            while True:
                way = self._known_way()
                told = {**headers, "Authorization": f"Bearer {way.token}"}
                with self._open(method, f"{way.url}api/{path}", told, body) as answer:
                    if is_from_agent(answer):
                        yield answer
                        return
                    answer.read()
                self._wait_for_start(answer, until)
        except httpx2.HTTPError as error:
            raise NotReachable(
                f"The connection to your agent broke ({type(error).__name__}).",
                "Try again.",
            ) from error

    def _wait_for_start(self, answer: httpx2.Response, until: float) -> None:
        """Raise what the agent refuses; wait if something else has answered."""
        refusal = _refusal(answer)
        if refusal is not None:
            raise refusal
        self._way = None
        if time.monotonic() > until:
            raise NotReachable(
                f"Your agent does not start ({answer.status_code}).",
                "Try again; if it stays so, tell the operators.",
            )
        time.sleep(_PAUSE_S)

    def _known_way(self) -> Way:
        way = self._way
        if way is None or time.monotonic() > self._renew_at:
            way = self._way = Way.read(self._api("POST", "agent"))
            self._renew_at = time.monotonic() + way.lifetime_s / 2
        return way


def is_from_agent(answer: httpx2.Response) -> bool:
    """Tell whether it is an answer of the agent's, and no page of the hub's."""
    return answer.is_success and "text/html" not in answer.headers.get(
        "Content-Type", ""
    )


def _refusal(answer: httpx2.Response) -> AgentRefused | None:
    """Return what the agent itself refuses; None when something else answered."""
    try:
        said = answer.json()
    except ValueError:
        return None
    if not isinstance(said, dict) or "error" not in said:
        return None
    return AgentRefused(answer.status_code, said)
