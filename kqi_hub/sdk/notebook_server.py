"""Ask the server of a notebook of one's own: its TensorBoards."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urljoin

import httpx2

from kqi_hub.sdk.config import checked_server
from kqi_hub.sdk.errors import NotConfigured, NotReachable, PortalError, Refused
from kqi_hub.sdk.models import Answer
from kqi_hub.sdk.notebooks import Way


@dataclass(frozen=True, slots=True)
class TensorBoard(Answer):
    """A TensorBoard that runs beside a notebook."""

    number: int
    logdir: str
    path: str
    began_at: int = 0


class NotebookServer:
    """A notebook's server, from its own terminals and kernels or from afar."""

    def __init__(
        self,
        url: str,
        token: str,
        *,
        timeout_s: float = 90.0,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        self.url = checked_server(url)
        self._http = httpx2.Client(
            base_url=self.url,
            headers={"Authorization": f"token {token}", "Accept": "application/json"},
            timeout=timeout_s,
            transport=transport,
        )

    @classmethod
    def around(cls, env: Mapping[str, str] = os.environ) -> Self:
        """Return the server that this program runs below; NotConfigured outside."""
        url = env.get("JUPYTERHUB_SERVICE_URL", "")
        token = env.get("JUPYTERHUB_API_TOKEN", "")
        if not url or not token:
            raise NotConfigured(
                "This is no terminal of a notebook.",
                "Run it in one, or say which notebook: --notebook NAME.",
            )
        return cls(url, token)

    @classmethod
    def at_end_of(cls, way: Way, server: str) -> Self:
        """Return the server that a way from the portal at `server` leads to."""
        # The way leads to one of the interfaces: user/NAME/SERVER/lab.
        top = "/".join(way.url.strip("/").split("/")[:3])
        return cls(urljoin(server, top), way.token)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def address(self, board: "TensorBoard") -> str:
        """Return where a browser finds one, as far as this address is the browser's."""
        return urljoin(self.url, board.path)

    def tensorboards(self) -> tuple[TensorBoard, ...]:
        """Return those that run."""
        said = self._ask("GET", "kqi/tensorboards")
        return tuple(TensorBoard.read(one) for one in said["tensorboards"])

    def start_tensorboard(self, logdir: str) -> TensorBoard:
        """Start one for a folder, or return the one that runs for it."""
        body = {"logdir": logdir}
        return TensorBoard.read(self._ask("POST", "kqi/tensorboards", body))

    def stop_tensorboard(self, number: int) -> None:
        """Stop one."""
        self._ask("POST", "kqi/tensorboards/stop", {"number": str(number)})

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        try:
            answer = self._http.request(method, path, json=body)
        except httpx2.HTTPError as error:
            raise NotReachable(
                f"The notebook's server does not answer ({type(error).__name__}).",
                "Try again.",
            ) from error
        try:
            said = answer.json()
        except ValueError:
            said = {}
        if answer.status_code == 400:
            raise Refused(400, "tensorboard", str(said.get("message", "")), "")
        if answer.status_code >= 300 or not isinstance(said, dict):
            raise PortalError(
                f"The notebook's server answers {answer.status_code}.",
                "Start the notebook again from the portal.",
            )
        return said
