"""Ask the portal: one method for each thing that it can do."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final, Self

import httpx2

from kqi_hub.sdk import config as configuration
from kqi_hub.sdk.account import AccountCalls
from kqi_hub.sdk.agent_calls import Body
from kqi_hub.sdk.budgets import BudgetCalls
from kqi_hub.sdk.datasets import DatasetCalls
from kqi_hub.sdk.downloads import DownloadCalls
from kqi_hub.sdk.environments import EnvironmentCalls
from kqi_hub.sdk.errors import NotConfigured, NotReachable, Refused
from kqi_hub.sdk.git import GitCalls
from kqi_hub.sdk.images import ImageCalls
from kqi_hub.sdk.jobs import JobCalls
from kqi_hub.sdk.models import Login, Person, Tenant
from kqi_hub.sdk.notebooks import NotebookCalls, Way
from kqi_hub.sdk.outside_runs import OutsideCalls
from kqi_hub.sdk.preprocessings import PreprocessingCalls
from kqi_hub.sdk.queues import QueueCalls
from kqi_hub.sdk.rates import RateCalls
from kqi_hub.sdk.scratch import ScratchCalls
from kqi_hub.sdk.store_wire import StoreWire
from kqi_hub.sdk.usage import UsageCalls

API: Final = "services/portal/api/v1/"
LOGIN: Final = "hub/api/kqi/login"
# A proxy that was started anew gets its ways back from the hub within seconds.
_WAYS_BACK_S: Final = 10.0
_LOOK_AGAIN_S: Final = 0.5


class Client(
    AccountCalls,
    QueueCalls,
    NotebookCalls,
    EnvironmentCalls,
    DownloadCalls,
    ScratchCalls,
    DatasetCalls,
    OutsideCalls,
    PreprocessingCalls,
    JobCalls,
    GitCalls,
    ImageCalls,
    UsageCalls,
    BudgetCalls,
    RateCalls,
):
    """The portal as one person sees it; close it, or use it in a `with`."""

    def __init__(
        self,
        server: str,
        token: str = "",
        *,
        language: str = "en",
        timeout_s: float = configuration.TIMEOUT_S,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        headers = {"Accept-Language": language}
        if token:
            headers["Authorization"] = f"token {token}"
        self.server = configuration.checked_server(server)
        self._http = httpx2.Client(
            base_url=self.server,
            headers=headers,
            timeout=timeout_s,
            transport=transport,
            verify=configuration.trusted(),
        )

    @classmethod
    def from_config(cls, config: configuration.Config | None = None) -> Self:
        """Return a client for what `kqi login` left on this machine."""
        known = config or configuration.load()
        if not known.server or not known.token:
            raise NotConfigured(
                "This machine is not logged in to a portal.",
                "Run: kqi login https://ADDRESS-OF-YOUR-PORTAL/",
            )
        return cls(known.server, known.token, timeout_s=known.timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def login(
        self,
        name: str,
        password: str,
        code: str = "",
        *,
        note: str = "kqi login",
        scopes: Sequence[str] = ("custom:kqi:write",),
        lifetime_s: int = 30 * 86400,
    ) -> Login:
        """Log in and return a token, which this client does not yet use itself."""
        asked = {
            "name": name,
            "password": password,
            "code": code,
            "note": note,
            "scopes": list(scopes),
            "lifetime_s": lifetime_s,
        }
        return Login.read(self._ask("POST", LOGIN, asked))

    def whoami(self) -> Person:
        """Return who the token belongs to."""
        return Person.read(self._api("GET", "whoami"))

    def tenants(self) -> tuple[Tenant, ...]:
        """Return the person's tenants with their role in each."""
        return tuple(Tenant.read(t) for t in self._api("GET", "tenants")["tenants"])

    def log_piece(
        self, way: Way, job_id: int, start: int | None = None
    ) -> Mapping[str, Any] | None:
        """Return a piece of a job's log from one's agent; None while it is starting.

        The piece has `text`, `from`, `to` and `size`; without `start` it is the end.
        """
        asked = {"job": job_id} | ({} if start is None else {"from": start})
        try:
            answer = self._http.get(
                f"{way.url}api/log",
                params=asked,
                headers={"Authorization": f"Bearer {way.token}"},
            )
        except httpx2.HTTPError as error:
            raise NotReachable(
                f"Your agent does not answer ({type(error).__name__}).", "Try again."
            ) from error
        # Until the agent listens, its address is answered by the hub.
        if answer.is_redirect or answer.status_code in {424, 502, 503}:
            return None
        kind = answer.headers.get("Content-Type", "")
        if answer.status_code == 404 and "json" not in kind:
            return None
        if answer.status_code >= 400:
            raise _refusal(answer)
        said: Mapping[str, Any] = answer.json()
        return said

    def _api(
        self, method: str, path: str, body: Mapping[str, object] | None = None
    ) -> Any:
        return self._ask(method, API + path, body)

    def _api_text(self, method: str, path: str) -> str:
        answer = self._accepted(method, API + path, None)
        kind = answer.headers.get("Content-Type", "")
        if not kind.startswith(("text/plain", "text/csv")):
            raise self._no_portal()
        return answer.text

    def _fetch(
        self,
        method: str,
        url: str,
        token: str,
        body: Mapping[str, object] | None = None,
    ) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        try:
            return self._http.request(method, url, json=body, headers=headers)
        except httpx2.HTTPError as error:
            raise NotReachable(
                f"Your agent does not answer ({type(error).__name__}).", "Try again."
            ) from error

    def _open(
        self, method: str, url: str, headers: Mapping[str, str], body: Body | None
    ) -> AbstractContextManager[httpx2.Response]:
        content = None if body is None else body()
        return self._http.stream(method, url, headers=headers, content=content)

    def _wire(self, url: str, ticket: str, renew: Callable[[], str]) -> StoreWire:
        return StoreWire(self._http, self.server + url.lstrip("/"), ticket, renew)

    def _ask(
        self, method: str, path: str, body: Mapping[str, object] | None = None
    ) -> Any:
        answer = self._accepted(method, path, body)
        if answer.status_code == 204:
            return {}
        try:
            return answer.json()
        except ValueError as error:
            raise self._no_portal() from error

    def _accepted(
        self, method: str, path: str, body: Mapping[str, object] | None
    ) -> httpx2.Response:
        answer = self._answer(method, path, body)
        until = time.monotonic() + _WAYS_BACK_S
        # Nothing is done twice: the portal has not heard of it, or it only tells.
        while time.monotonic() < until and (
            _came_to_the_hub(answer) or (method == "GET" and _is_away(answer))
        ):
            time.sleep(_LOOK_AGAIN_S)
            answer = self._answer(method, path, body)
        if answer.status_code >= 400 or answer.is_redirect:
            raise _refusal(answer)
        return answer

    def _no_portal(self) -> NotReachable:
        return NotReachable(
            f"What answers at {self.server} is not a portal.", "Check the address."
        )

    def _answer(
        self, method: str, path: str, body: Mapping[str, object] | None
    ) -> httpx2.Response:
        try:
            return self._http.request(method, path, json=body)
        except httpx2.HTTPError as error:
            raise NotReachable(
                f"No portal answers at {self.server} ({type(error).__name__}).",
                "Check the address and your network, then try again.",
            ) from error


def _came_to_the_hub(answer: httpx2.Response) -> bool:
    """Tell whether the proxy has no way to the portal, so that the hub answers."""
    place = answer.headers.get("Location", "")
    return answer.is_redirect and f"hub/{API}" in place


def _is_away(answer: httpx2.Response) -> bool:
    """Tell whether a proxy answers for a portal that it does not reach."""
    kind = answer.headers.get("Content-Type", "")
    return answer.status_code in {502, 503, 504} and "json" not in kind


def _refusal(answer: httpx2.Response) -> Refused | NotReachable:
    try:
        said = answer.json()
        message = str(said.get("detail") or said.get("title") or answer.reason_phrase)
        return Refused(
            answer.status_code,
            str(said.get("code", "")),
            " ".join([message, *_faults(said)]),
            str(said.get("hint", "")),
        )
    except (ValueError, AttributeError):
        if _is_away(answer):
            return NotReachable(
                f"The portal is not there right now: {answer.url} answers "
                f"{answer.status_code}.",
                "Try again in a moment.",
            )
        return NotReachable(
            f"{answer.url} answers {answer.status_code}, which is not a portal's way.",
            "Check the address.",
        )


def _faults(said: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with each field, where the portal names them."""
    return [
        f"{one.get('field')}: {one.get('message')}" for one in said.get("errors") or ()
    ]
