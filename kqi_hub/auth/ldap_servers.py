"""Several directory servers: the first that is well answers, the sick are left alone.

A server that refuses connections costs nothing to ask again. One that hangs costs each
asker a whole timeout: nobody is sent to it until a probe of our own, beside the people,
has had an answer. One that has kept somebody waiting for a second while it answered
nobody is asked after the others.
"""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, TypeVar

from kqi_hub.auth.ldap_options import DirectoryOptions, ServerAddress
from kqi_hub.auth.ldap_session import BROKEN, LdapSession, Misconfigured, ServerFailed
from kqi_hub.auth.ldap_wire import Deadline, connect, tls_context
from kqi_hub.domain.errors import DirectoryUnavailable

log = logging.getLogger(__name__)

T = TypeVar("T")
SUSPICIOUS_AFTER_S: Final = 1.0


@dataclass(slots=True, eq=False)
class _Server:
    address: ServerAddress
    idle: list[tuple[float, LdapSession]] = field(default_factory=list)
    asked_since: list[float] = field(default_factory=list)
    answered_at: float = float("-inf")
    failed: bool = False
    hung: bool = False
    probe_at: float = 0.0

    def is_suspicious(self, now: float) -> bool:
        """Tell whether it keeps somebody waiting and has answered nobody since."""
        oldest = min(self.asked_since, default=now)
        return now - oldest > SUSPICIOUS_AFTER_S and self.answered_at < oldest


class Servers:
    """The site's servers as one; any thread may call it."""

    def __init__(
        self, options: DirectoryOptions, greet: Callable[[LdapSession], object]
    ) -> None:
        """Read the authorities' certificates; `greet` is what a probe asks."""
        self._options = options
        self._greet = greet
        self._context = tls_context(options.ca_file)
        self._servers = [_Server(address) for address in options.servers]
        self._lock = threading.Lock()

    def run(self, work: Callable[[LdapSession], T], keep: bool = True) -> T:
        """Do the work on the first server that answers.

        It may be done again on another connection or server if one breaks down half
        way, unless `keep` is False. Raises DirectoryUnavailable.
        """
        deadline = Deadline(self._options.total_timeout_s)
        faults = []
        for server in self._in_order():
            if deadline.is_over:
                break
            try:
                return self._on(server, work, deadline, keep)
            except ServerFailed as error:
                faults.append(f"{server.address}: {error}")
        raise DirectoryUnavailable(
            "The directory does not answer.",
            "Try again in a minute; the operators' log says more.",
        ) from ServerFailed("; ".join(faults) or "every server hangs")

    def close(self) -> None:
        """Close the connections that nobody uses."""
        with self._lock:
            sessions = [session for one in self._servers for _, session in one.idle]
            for server in self._servers:
                server.idle.clear()
        for session in sessions:
            session.close()

    def _in_order(self) -> list[_Server]:
        now = time.monotonic()
        with self._lock:
            well = [one for one in self._servers if not one.failed]
            quick = [one for one in self._servers if one.failed and not one.hung]
            due = [one for one in self._servers if one.failed and now >= one.probe_at]
            for server in due:
                server.probe_at = now + self._options.retry_after_s
            well.sort(key=lambda one: one.is_suspicious(now))
        for server in due:
            self._probe(server)
        return well + quick

    def _probe(self, server: _Server) -> None:
        def ask() -> None:
            # What comes of it is noted by _on, for everybody.
            with suppress(ServerFailed):
                self._on(server, self._greet, Deadline(self._options.total_timeout_s))

        threading.Thread(target=ask, name="directory-probe", daemon=True).start()

    def _on(
        self,
        server: _Server,
        work: Callable[[LdapSession], T],
        deadline: Deadline,
        keep: bool = True,
    ) -> T:
        began = time.monotonic()
        with self._lock:
            server.asked_since.append(began)
        try:
            result = self._with_session(server, work, deadline, keep)
        except Misconfigured as error:
            log.error("directory server %s: %s", server.address, error)  # noqa: TRY400
            raise ServerFailed(str(error)) from error
        except ServerFailed as error:
            self._note_failure(server, error)
            raise
        else:
            self._note_answer(server)
            return result
        finally:
            with self._lock:
                server.asked_since.remove(began)

    def _with_session(
        self,
        server: _Server,
        work: Callable[[LdapSession], T],
        deadline: Deadline,
        keep: bool,
    ) -> T:
        used = self._take_idle(server) if keep else None
        if used is not None:
            try:
                return self._finished(server, used, work, deadline)
            except ServerFailed as error:
                if error.hung:
                    raise
                # It closed the connection while nobody used it: that is its right.
        fresh = self._open(server, deadline)
        return self._finished(server, fresh, work, deadline, keep)

    def _open(self, server: _Server, deadline: Deadline) -> LdapSession:
        limit = Deadline(self._options.connect_timeout_s, at_most=deadline)
        try:
            return LdapSession(connect(server.address, self._context, limit), limit)
        except BROKEN as error:
            raise ServerFailed(str(error), hung=limit.is_over) from error

    def _finished(
        self,
        server: _Server,
        session: LdapSession,
        work: Callable[[LdapSession], T],
        deadline: Deadline,
        keep: bool = True,
    ) -> T:
        session.within(Deadline(self._options.read_timeout_s, at_most=deadline))
        try:
            result = work(session)
        except BaseException:
            session.close()
            raise
        with self._lock:
            keep = keep and len(server.idle) < self._options.idle_connections
            if keep:
                server.idle.append((time.monotonic(), session))
        if not keep:
            session.close()
        return result

    def _take_idle(self, server: _Server) -> LdapSession | None:
        """Return the connection used last, and close those that are too old."""
        oldest = time.monotonic() - self._options.idle_s
        with self._lock:
            old = [session for since, session in server.idle if since < oldest]
            server.idle = [one for one in server.idle if one[0] >= oldest]
            taken = server.idle.pop()[1] if server.idle else None
        for session in old:
            session.close()
        return taken

    def _note_failure(self, server: _Server, error: ServerFailed) -> None:
        with self._lock:
            was_well = not server.failed
            server.failed, server.hung = True, error.hung
            server.probe_at = time.monotonic() + self._options.retry_after_s
        if was_well:
            how = "hangs" if error.hung else "fails"
            log.warning("directory server %s %s: %s", server.address, how, error)

    def _note_answer(self, server: _Server) -> None:
        with self._lock:
            was_failed = server.failed
            server.failed = server.hung = False
            server.answered_at = time.monotonic()
        if was_failed:
            log.warning("directory server %s answers again", server.address)
