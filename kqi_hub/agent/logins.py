"""Logins of browsers: what the cookie names stays in this process and dies with it."""

import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Final

_KEPT: Final = 100
_WAY_IN_S: Final = 600.0


@dataclass(frozen=True, slots=True)
class _Begun:
    """A login that the hub has been asked for, and where it should lead."""

    browser: str
    target: str
    until: float


class Logins:
    """Names of cookies and states, all of them random.

    The token itself never becomes a cookie: on a port that an ended agent left,
    somebody else's process could be shown it.
    """

    def __init__(self) -> None:
        self._begun: OrderedDict[str, _Begun] = OrderedDict()
        self._tokens: OrderedDict[str, str] = OrderedDict()

    def begin(self, target: str, browser: str = "") -> tuple[str, str]:
        """Return the state to send through the hub, and the browser's own proof.

        A browser that logs in twice at a time keeps the proof that it has.
        """
        state, browser = secrets.token_urlsafe(32), browser or secrets.token_urlsafe(32)
        self._begun[state] = _Begun(browser, target, time.monotonic() + _WAY_IN_S)
        _shorten(self._begun)
        return state, browser

    def finish(self, state: str, browser: str) -> str | None:
        """Return where a login leads that this browser began; once only."""
        begun = self._begun.pop(state, None)
        if begun is None or time.monotonic() > begun.until:
            return None
        same = secrets.compare_digest(begun.browser.encode(), browser.encode())
        return begun.target if same else None

    def keep(self, token: str) -> str:
        """Keep a token and return the name that a cookie may carry."""
        name = secrets.token_urlsafe(32)
        self._tokens[name] = token
        _shorten(self._tokens)
        return name

    def token(self, name: str) -> str | None:
        """Return the token of a cookie."""
        return self._tokens.get(name)

    def forget(self, name: str) -> None:
        """Forget a login that the hub no longer honours."""
        self._tokens.pop(name, None)


def _shorten(kept: OrderedDict[str, Any]) -> None:
    while len(kept) > _KEPT:
        kept.popitem(last=False)
