"""GET from one registry: certificates checked, a password shown to nobody else."""

import base64
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPException, HTTPMessage, HTTPResponse
from typing import IO, Any, Final
from urllib.parse import urlencode, urlsplit

from kqi_hub.oci.challenge import Challenge, challenge_of
from kqi_hub.oci.errors import Denied, Missing, RegistryError, Unreachable

DEFAULT_TIMEOUT_S: Final = 20.0
_TOKEN_BYTES: Final = 1024 * 1024
_AGENT: Final = "kqi-hub"


@dataclass(frozen=True, slots=True)
class Access:
    """Where a registry is, and as whom it is asked.

    `url` is scheme, host and port alone. `ca_file` has certificates of the site's own
    authority, which count beside those of the system.
    """

    url: str
    user: str = ""
    password: str = field(default="", repr=False)
    ca_file: str = ""
    timeout_s: float = DEFAULT_TIMEOUT_S

    @property
    def host(self) -> str:
        """Return its host and port, for people."""
        return urlsplit(self.url).netloc


class _Elsewhere(urllib.request.HTTPRedirectHandler):
    """Follow a registry to where its files lie, and leave the password behind."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        """Return the next question; none that is less safe than the last one."""
        old, new = urlsplit(req.full_url), urlsplit(newurl)
        if new.scheme not in ("https", old.scheme):
            return None
        following = super().redirect_request(req, fp, code, msg, headers, newurl)
        if following is not None and new[:2] != old[:2]:
            following.remove_header("Authorization")
        return following


class Door:
    """One registry, asked by GET; a token is kept for what it is good for."""

    def __init__(self, access: Access) -> None:
        if urlsplit(access.url).scheme not in ("https", "http"):
            raise Unreachable(f"{access.url!r} is no address of a registry.")
        self._access = access
        handlers: list[urllib.request.BaseHandler] = [_Elsewhere()]
        if urlsplit(access.url).scheme == "https":
            handlers.append(urllib.request.HTTPSHandler(context=_context(access)))
        self._opener = urllib.request.build_opener(*handlers)
        self._tokens: dict[str, str] = {}

    @property
    def host(self) -> str:
        """Return host and port of the registry, for people."""
        return self._access.host

    def open(self, path: str, accept: str = "", scope: str = "") -> HTTPResponse:
        """Return the answer to a question below the registry's address.

        `scope` is what a token is wanted for. Raises a RegistryError for anything but
        success.
        """
        headers = {"Accept": accept} if accept else {}
        known = self._tokens.get(scope)
        try:
            return self._once(path, headers | _authorization(known))
        except urllib.error.HTTPError as error:
            if error.code != HTTPStatus.UNAUTHORIZED:
                raise self._said(error, path) from None
            wanted = challenge_of(error.headers.get("WWW-Authenticate") or "")
            error.close()
        word = self._answered(wanted, scope)
        try:
            answer = self._once(path, headers | _authorization(word))
        except urllib.error.HTTPError as error:
            raise self._said(error, path) from None
        self._tokens[scope] = word
        return answer

    def _once(self, path: str, headers: Mapping[str, str]) -> HTTPResponse:
        return self._sent(f"{self._access.url}{path}", headers)

    def _sent(self, url: str, headers: Mapping[str, str]) -> HTTPResponse:
        """Send one question; HTTPError for a refusal, Unreachable for no answer."""
        try:
            shown = {"User-Agent": _AGENT, **headers}
            request = urllib.request.Request(url, headers=shown)  # noqa: S310 - checked
            answer: HTTPResponse = self._opener.open(
                request, timeout=self._access.timeout_s
            )
        except urllib.error.HTTPError:
            raise
        except (OSError, HTTPException, ValueError) as error:
            reason = getattr(error, "reason", None) or error
            raise Unreachable(
                f"The registry {self.host} does not answer: {reason}"
            ) from error
        return answer

    def _answered(self, wanted: Challenge | None, scope: str) -> str:
        """Return the Authorization that a registry wants to see."""
        if wanted is None or wanted.scheme not in ("basic", "bearer"):
            raise Unreachable(f"The registry {self.host} asks for an unknown login.")
        if wanted.scheme == "bearer":
            return f"Bearer {self._token(wanted, scope)}"
        if not self._access.password:
            raise self._no_password()
        return self._basic()

    def _token(self, wanted: Challenge, scope: str) -> str:
        realm = urlsplit(wanted.realm)
        if realm.scheme not in ("https", urlsplit(self._access.url).scheme):
            raise Unreachable(
                f"The registry {self.host} would have the password sent unencrypted."
            )
        asked = {"service": wanted.service, "scope": wanted.scope or scope}
        query = urlencode({name: value for name, value in asked.items() if value})
        url = f"{wanted.realm}{'&' if realm.query else '?'}{query}"
        basic = self._basic() if self._access.password else None
        try:
            with self._sent(url, _authorization(basic)) as answer:
                told = json.loads(answer.read(_TOKEN_BYTES))
                token = told.get("token") or told.get("access_token")
        except urllib.error.HTTPError as error:
            raise self._said(error, "its login") from None
        except (OSError, HTTPException, ValueError, AttributeError) as error:
            raise Unreachable(f"The login of {self.host} is unreadable.") from error
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise Unreachable(f"The login of {self.host} gives no token.")
        return token

    def _basic(self) -> str:
        plain = f"{self._access.user}:{self._access.password}".encode()
        return f"Basic {base64.b64encode(plain).decode()}"

    def _no_password(self) -> Denied:
        return Denied(
            f"The registry {self.host} shows this to those only who log in: store a "
            "password for it under Your account, Registries."
        )

    def _said(self, error: urllib.error.HTTPError, path: str) -> RegistryError:
        """Return what a refusal means; what the registry writes is not passed on."""
        error.close()
        if error.code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            if not self._access.password:
                return self._no_password()
            return Denied(
                f"The registry {self.host} refuses the stored password: store it again "
                "under Your account, Registries, or ask for the right to read this."
            )
        if error.code == HTTPStatus.NOT_FOUND:
            return Missing(f"The registry {self.host} has no {path}.")
        if error.code == HTTPStatus.TOO_MANY_REQUESTS:
            return Unreachable(
                f"The registry {self.host} was asked too often: wait, or store a "
                "password for it, which raises the limit."
            )
        return Unreachable(f"The registry {self.host} answers with {error.code}.")


def read_json(answer: HTTPResponse, most: int) -> Any:
    """Return an answer of at most so many bytes; ValueError for all others."""
    return json.loads(read_all(answer, most))


def read_all(answer: HTTPResponse, most: int) -> bytes:
    """Return the bytes of an answer; ValueError if there are more than that."""
    raw = answer.read(most + 1)
    if len(raw) > most:
        raise ValueError(f"there are more than {most} bytes")
    return raw


def _authorization(word: str | None) -> dict[str, str]:
    return {"Authorization": word} if word else {}


def _context(access: Access) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if access.ca_file:
        try:
            context.load_verify_locations(access.ca_file)
        except OSError as error:
            raise Unreachable(
                f"The certificates in {access.ca_file} cannot be read: {error}"
            ) from error
    return context
