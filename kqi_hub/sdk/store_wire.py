"""One question to the store, and what its answers and silences mean."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote, urlencode

import httpx2

from kqi_hub.sdk.errors import NotReachable, Refused
from kqi_hub.sdk.local_files import LocalFile

_CONNECT_S: Final = 15.0
# The store writes to disk before it answers; a full cache may take its time.
_ANSWER_S: Final = 180.0
_RENEW_AT_MOST_EVERY_S: Final = 20.0
_HEADER_BYTES: Final = 4
_PASSING: Final = frozenset({408, 424, 425, 429, 500, 502, 503, 504})
# What the store says itself: this passes, that stays until somebody acts.
_BUSY: Final = "busy"
_STAYS: Final = frozenset({"not-prepared"})


class Interrupted(Exception):
    """The store could not be asked, or could not answer: it may be asked again."""


class StoreRefused(Refused):
    """The store says no; `said` is all of its answer."""

    def __init__(self, status: int, said: Mapping[str, Any]) -> None:
        texts = [str(said.get(name) or "") for name in ("error", "message", "hint")]
        super().__init__(status, *texts)
        self.said = said


class StoreWire:
    """The store's face for one upload; several threads may ask at once."""

    def __init__(
        self,
        http: httpx2.Client,
        address: str,
        ticket: str,
        renew: Callable[[], str],
    ) -> None:
        self._http = http
        self._address = address.rstrip("/")
        self._ticket = ticket
        self._renew = renew
        self._renewing = threading.Lock()
        self._renewed_at = 0.0

    def about(self) -> Mapping[str, Any]:
        """Return how much of the upload the store has."""
        return self._ask("GET", "")

    def known(self, files: Sequence[LocalFile]) -> dict[str, tuple[int, bool]]:
        """Return by path the bytes that are safe, and whether the file is whole."""
        asked = [{"path": one.path, "size": one.size} for one in files]
        said = self._ask("POST", "/known", json.dumps({"files": asked}).encode())
        return {
            one["path"]: (int(one["offset"]), bool(one["done"]))
            for one in said["known"]
        }

    def send_pack(self, files: Sequence[tuple[LocalFile, bytes]]) -> int:
        """Send small files whole, in one body; return how many were taken."""
        parts: list[bytes] = []
        for one, content in files:
            header = json.dumps({"path": one.path, "size": one.size}).encode()
            parts += [len(header).to_bytes(_HEADER_BYTES, "big"), header, content]
        return int(self._ask("PUT", "/pack", b"".join(parts))["taken"])

    def send_part(
        self, one: LocalFile, offset: int, body: Iterator[bytes], length: int
    ) -> Mapping[str, Any]:
        """Send a part of a file from `offset` on; the answer says how far it is."""
        asked = urlencode(
            {"path": one.path, "size": one.size, "offset": offset}, quote_via=quote
        )
        return self._ask("PUT", f"/file?{asked}", body, length)

    def _ask(
        self,
        method: str,
        path: str,
        body: bytes | Iterator[bytes] | None = None,
        length: int | None = None,
    ) -> Mapping[str, Any]:
        ticket = self._ticket
        headers = {"Authorization": f"Bearer {ticket}", "Accept": "application/json"}
        if length is not None:
            headers["Content-Length"] = str(length)
        try:
            answer = self._http.request(
                method,
                self._address + path,
                content=body,
                headers=headers,
                timeout=httpx2.Timeout(_ANSWER_S, connect=_CONNECT_S),
            )
        except httpx2.HTTPError as error:
            raise Interrupted(type(error).__name__) from error
        said = _document(answer)
        if answer.is_success and said is not None:
            return said
        if said is None or "error" not in said:
            raise Interrupted(f"{answer.status_code}")
        if said["error"] == "bad-ticket":
            self._renew_after(ticket)
            raise Interrupted("a new ticket")
        is_passing = answer.status_code in _PASSING and said["error"] not in _STAYS
        if is_passing or said["error"] == _BUSY:
            raise Interrupted(f"{answer.status_code} {said['error']}")
        raise StoreRefused(answer.status_code, said)

    def _renew_after(self, ticket: str) -> None:
        """Fetch a new ticket, once for all threads; NotReachable if it is no better."""
        with self._renewing:
            if ticket != self._ticket:
                return
            now = time.monotonic()
            if self._renewed_at and now - self._renewed_at < _RENEW_AT_MOST_EVERY_S:
                raise NotReachable(
                    "The store does not take the portal's tickets.",
                    "Tell the operators: kqi-hub doctor says more.",
                )
            self._ticket, self._renewed_at = self._renew(), now


def _document(answer: httpx2.Response) -> Mapping[str, Any] | None:
    try:
        said = answer.json()
    except ValueError:
        return None
    return said if isinstance(said, dict) else None
