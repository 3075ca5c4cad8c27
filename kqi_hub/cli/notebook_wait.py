"""Wait until a notebook is ready, and say why it is not yet."""

import time
from typing import Final

import click

from kqi_hub.cli.output import moment, say
from kqi_hub.sdk.client import Client
from kqi_hub.sdk.errors import PortalError
from kqi_hub.sdk.notebooks import Notebook, NotebookSession

LOOK_EVERY_S: Final = 2.0
_PHASES: Final = {
    "asked": "asked for",
    "queued": "in the queue",
    "node": "node found",
    "environment": "environment ready",
    "server": "server up",
    "ready": "ready",
}


def wait_until_ready(portal: Client, found: Notebook) -> Notebook:
    """Return it when it is ready; PortalError (exit code 1) when it ended instead.

    Ctrl-C ends the waiting, not the notebook.
    """
    teller = _Teller()
    try:
        while True:
            teller.tell(found)
            if found.is_ready:
                return found
            if not found.is_live:
                raise _ended(found)
            time.sleep(LOOK_EVERY_S)
            found = portal.notebook(found.id)
    except KeyboardInterrupt:
        say(
            f"\n{found.name} goes on without you. See it: kqi notebook show "
            f"{found.name}; stop it: kqi notebook stop {found.name}"
        )
        raise click.exceptions.Exit(130) from None


class _Teller:
    """Tell each phase once, and each reason to wait when it is a new one."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def tell(self, found: Notebook) -> None:
        """Say what is new."""
        session = found.session
        for phase, at in session.reached if session else ():
            passed = at - session.asked_at if session else 0.0
            node = f" {session.node}" if session and phase == "node" else ""
            self._once(f"{_PHASES.get(phase, phase)}{node}  +{passed:.1f} s")
        if found.waiting is not None:
            starts_at = found.waiting.get("starts_at")
            when = f" Expected start: {moment(starts_at)}." if starts_at else ""
            words = (found.waiting["text"], found.waiting.get("hint", ""))
            self._once("  " + " ".join(filter(None, words)) + when)

    def _once(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            say(text)


def _ended(found: Notebook) -> PortalError:
    session = found.session or NotebookSession(0)
    why = f" ({session.end})" if session.end else ""
    code = "" if session.exit_code is None else f", exit code {session.exit_code}"
    return PortalError(
        f"{found.name} ended before it was ready: {session.cause}{why}{code}.",
        f"See its log: kqi notebook logs {found.name}",
    )
