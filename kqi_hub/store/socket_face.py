"""The socket face: the portal's verbs, and people's offers; a thread a connection."""

import logging
import os
import pwd
import socket
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kqi_hub.domain.errors import KqiError, NotPermitted
from kqi_hub.domain.tickets import Ticket, checked
from kqi_hub.store import offers
from kqi_hub.store.asked import Asked
from kqi_hub.store.errors import Busy, WrongBody
from kqi_hub.store.face import refusal
from kqi_hub.store.house import House
from kqi_hub.store.lines import Line, Lines, TooLong, peer_uid
from kqi_hub.store.verbs import answered

_LOG: Final = logging.getLogger(__name__)
_PORTALS_LINE: Final = 64 * 1024 * 1024
_PEOPLES_LINE: Final = 1024 * 1024
_PORTALS_CONNECTIONS: Final = 64
_PEOPLES_CONNECTIONS: Final = 8
_SILENT_S: Final = 60.0
_TELL_EVERY_S: Final = 0.5
# As good as any: descriptors have run out, and somebody gives some back.
_PAUSE_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Asker:
    """Who may ask what."""

    portal_uid: int
    key: bytes


class SocketFace:
    """Accepts connections until the process ends."""

    def __init__(self, path: Path, house: House, asker: Asker) -> None:
        self._house, self._asker = house, asker
        self._lock = threading.Lock()
        self._open: Counter[int] = Counter()
        self._socket = _listening(path)

    def start(self) -> None:
        """Begin to accept."""
        threading.Thread(target=self._accept, name="socket", daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                _LOG.exception("Nobody can be let in right now")
                time.sleep(_PAUSE_S)
                continue
            try:
                connection.settimeout(_SILENT_S)
                self._serve(connection, peer_uid(connection))
            except OSError:
                _LOG.exception("A connection cannot be served")
                connection.close()

    def _serve(self, connection: socket.socket, uid: int) -> None:
        is_portal = uid == self._asker.portal_uid
        lines = Lines(connection, _PORTALS_LINE if is_portal else _PEOPLES_LINE)
        most = _PORTALS_CONNECTIONS if is_portal else _PEOPLES_CONNECTIONS
        with self._lock:
            if self._open[uid] >= most:
                lines.send(refusal(Busy("You have too many connections here.")))
                lines.close()
                return
            self._open[uid] += 1
        threading.Thread(
            target=self._talk, args=(lines, uid), name=f"uid {uid}", daemon=True
        ).start()

    def _talk(self, lines: Lines, uid: int) -> None:
        try:
            talk = _Talk(lines, uid, self._house, self._asker)
            while talk.answer_one():
                continue
        except (OSError, TooLong) as error:
            _LOG.info("uid %d is gone: %s", uid, error)
        finally:
            lines.close()
            with self._lock:
                self._open[uid] -= 1
                if not self._open[uid]:
                    del self._open[uid]


class _Talk:
    """One connection: what it asked before decides what comes next."""

    def __init__(self, lines: Lines, uid: int, house: House, asker: Asker) -> None:
        self._lines, self._uid = lines, uid
        self._house, self._asker = house, asker
        self._ticket: Ticket | None = None
        self._told_at = 0.0

    def answer_one(self) -> bool:
        """Answer a line; False when there is none any more."""
        try:
            line = self._lines.receive()
            if line is None:
                return False
            with line:
                self._lines.send({"ok": self._answer(line)})
        except KqiError as error:
            self._lines.send(refusal(error))
        except (OSError, TooLong):
            raise
        except Exception:  # noqa: BLE001  logged, and told as our own fault
            _LOG.exception("A question cannot be answered")
            self._lines.send({"error": "store", "message": "The store failed."})
        return True

    def _answer(self, line: Line) -> object:
        asked = Asked(line.fields)
        if self._ticket is not None:
            return self._take(self._ticket, asked, line)
        if line.fields.get("verb") == "offer":
            self._ticket = self._checked(asked.text("ticket"))
            return {}
        if self._uid != self._asker.portal_uid:
            raise NotPermitted("Only the portal may ask this.")
        return answered(self._house, line.fields, self._tell)

    def _checked(self, text: str) -> Ticket:
        ticket = checked(text, self._asker.key, time.time())
        try:
            owner = pwd.getpwnam(ticket.person).pw_uid
        except KeyError:
            owner = None
        if owner != self._uid:
            raise NotPermitted("This ticket is somebody else's.")
        return ticket

    def _take(self, ticket: Ticket, asked: Asked, line: Line) -> object:
        paths = [_path(one) for one in asked.mappings("files")]
        if ticket.until < time.time():
            raise NotPermitted("The ticket is too old.", "Begin with a new one.")
        upload = self._house.uploads.take(ticket)
        try:
            return offers.take(upload, ticket, paths, line.descriptors).told()
        finally:
            self._house.uploads.leave(ticket)

    def _tell(self, done: int, of: int) -> None:
        now = time.monotonic()
        if now - self._told_at >= _TELL_EVERY_S:
            self._told_at = now
            try:
                self._lines.send({"progress": {"done": done, "of": of}})
            except OSError:
                # Who asked is gone; what was asked for is done all the same.
                self._told_at = float("inf")


def _path(one: object) -> str:
    match one:
        case {"path": str(path)}:
            return path
        case _:
            raise WrongBody('Each file is {"path": TEXT}.')


def _listening(path: Path) -> socket.socket:
    """Listen anew; what a former process left there goes."""
    path.unlink(missing_ok=True)
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.bind(os.fspath(path))
    # Everybody may knock: who it is, the kernel says; what they may, a ticket.
    path.chmod(0o666)
    server.listen(128)
    return server
