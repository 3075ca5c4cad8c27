"""Fetch the token that `kqi` has in a run's command: once, beside the preparations.

It goes into the environment of the command and nowhere else. That there is none keeps
no run from going on: its log has one line about it.
"""

import http.client
import json
import os
import re
import ssl
import threading
import time
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from kqi_hub.runner.runs.order import RunOrder, TokenWay
from kqi_hub.runner.say import say

VARIABLE: Final = "KQI_TOKEN"
_PATH: Final = "api/v1/job-token"
# To begin with a portal that does not answer; an answer itself may wait for Slurm.
_CONNECT_S: Final = 4.0
_ANSWER_S: Final = 45.0
# Before each try.
_PAUSES_S: Final = (0.0, 0.5, 2.0)
_PATIENCE_S: Final = 60.0
_LONGEST_ANSWER: Final = 1 << 16
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/=-]{8,1024}", re.ASCII)
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_BY_HAND: Final = "this job was not submitted by the portal, or begins again"


class NoToken(Exception):
    """There is none; the message is for people. `again`: another try may do."""

    def __init__(self, why: str, again: bool = False) -> None:
        super().__init__(why)
        self.again = again


class TokenFetched:
    """A token under way; it is asked for from the moment that this is made."""

    def __init__(self, order: RunOrder, environ: Mapping[str, str]) -> None:
        self._run, self._way = order.id, order.token
        self._job = environ.get("SLURM_JOB_ID", "")
        self._found: str | NoToken = NoToken("the portal took too long")
        self._thread = threading.Thread(target=self._fetch, daemon=True)
        if self._way is not None:
            self._thread.start()

    def variables(self) -> dict[str, str]:
        """Return what the command is given, once it is known; say so if it is nothing.

        Where the site hands out none, nothing is said.
        """
        if self._way is None:
            return {}
        self._thread.join(_PATIENCE_S)
        found = self._found
        if isinstance(found, NoToken):
            say(f"kqi has no token in this run: {found}. In a shell: kqi login.")
            return {}
        return {VARIABLE: found}

    def _fetch(self) -> None:
        if self._way is None:
            return
        for pause in _PAUSES_S:
            time.sleep(pause)
            try:
                self._found = fetch(self._way, self._run, self._job)
            except NoToken as error:
                self._found = error
                if error.again:
                    continue
            return


def fetch(way: TokenWay, run_id: int, job: str) -> str:
    """Return the token for a ticket; NoToken."""
    if not way.ticket or not job.isdecimal():
        raise NoToken(_BY_HAND)
    asked = {"run": run_id, "job": int(job), "ticket": way.ticket}
    try:
        status, said = _posted(way, json.dumps(asked).encode())
    except ssl.SSLCertVerificationError as error:
        why = f"the certificate of the portal is not right: {error.verify_message}"
        raise NoToken(why) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        name = type(error).__name__
        raise NoToken(f"the portal does not answer ({name})", again=True) from error
    if status != http.client.OK:
        raise NoToken(f"the portal gives none ({status})", again=status >= 500)
    return _token(said)


def _token(said: bytes) -> str:
    try:
        token = json.loads(said)["token"]
    except (ValueError, KeyError, TypeError) as error:
        raise NoToken("what the portal answers cannot be read") from error
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise NoToken("what the portal answers is no token")
    return token


def _posted(way: TokenWay, body: bytes) -> tuple[int, bytes]:
    url = urlsplit(way.server)
    connection = _connection(url.scheme, url.hostname or "", url.port, way.ca_file)
    try:
        connection.connect()
        if connection.sock is not None:
            connection.sock.settimeout(_ANSWER_S)
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        # No redirect is followed: the ticket is for nobody else.
        connection.request("POST", f"{url.path.rstrip('/')}/{_PATH}", body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read(_LONGEST_ANSWER)
    finally:
        connection.close()


def _connection(
    scheme: str, host: str, port: int | None, ca_file: str
) -> http.client.HTTPConnection:
    if scheme == "https":
        # By what the node trusts; variables of the run vouch for nothing here.
        context = ssl.create_default_context()
        if ca_file:
            context.load_verify_locations(cafile=os.fspath(ca_file))
        return http.client.HTTPSConnection(
            host, port, timeout=_CONNECT_S, context=context
        )
    if scheme == "http" and host in _LOOPBACK:
        return http.client.HTTPConnection(host, port, timeout=_CONNECT_S)
    raise NoToken("the portal has no address that begins with https:")
