"""One conversation with one directory server: bind, search, change a password."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ldap3 import (
    ANONYMOUS,
    BASE,
    DEREF_NEVER,
    SIMPLE,
    SUBTREE,
    Connection,
)
from ldap3.core.exceptions import LDAPException

from kqi_hub.auth.closed_accounts import Entry
from kqi_hub.auth.ldap_wire import Deadline, TimedSocket
from kqi_hub.auth.password_policy import (
    REQUEST_OID,
    PolicyAnswer,
    read_answer,
)

log = logging.getLogger(__name__)

SUCCESS: Final = 0
_REFERRAL: Final = 10
_NO_SUCH_OBJECT: Final = 32
_SIZE_LIMIT_EXCEEDED: Final = 4
# busy, unavailable, other: this server has a problem, another one may not.
_SERVER_IN_TROUBLE: Final = (51, 52, 80)
# What ldap3 and the socket raise when a conversation breaks down. ValueError and
# its like come out of ldap3's decoder when an answer is no LDAP.
BROKEN: Final = (LDAPException, OSError, ValueError, TypeError, LookupError)


class ServerFailed(Exception):
    """This server cannot answer; `hung` if it kept us waiting."""

    def __init__(self, message: str, hung: bool = False) -> None:
        super().__init__(message)
        self.hung = hung


class Misconfigured(Exception):
    """The server answers, but not to what the settings make us ask."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of one operation."""

    code: int
    words: str
    policy: PolicyAnswer = field(default_factory=PolicyAnswer)


@dataclass(frozen=True, slots=True)
class Hit:
    """One entry that a search found."""

    dn: str
    entry: Entry


class LdapSession:
    """Operations on one connection, each within the time that is left."""

    def __init__(self, connection: Connection, deadline: Deadline) -> None:
        self._connection = connection
        self._deadline = deadline

    def within(self, deadline: Deadline) -> None:
        """Set until when the following operations may wait."""
        self._deadline = deadline
        timed: TimedSocket | None = self._connection.socket
        if timed is not None:
            timed.deadline = deadline

    def bind(self, dn: str, password: str) -> Answer:
        """Check a password; the caller has refused empty ones."""
        if not dn or not password:
            raise ValueError("a bind without name or password checks nothing")
        # Bytes: ldap3 would fold text (SASLprep), to nothing in the worst case,
        # and an empty password succeeds.
        self._connection.user = dn
        self._connection.password = password.encode()
        self._connection.authentication = SIMPLE
        try:
            return self._done(self._bind)
        finally:
            self._connection.password = None

    def bind_anonymously(self) -> Answer:
        """Be nobody again."""
        self._connection.user = None
        self._connection.password = None
        self._connection.authentication = ANONYMOUS
        return self._done(self._bind)

    def _bind(self) -> None:
        self._connection.bind(
            read_server_info=False, controls=[(REQUEST_OID, False, None)]
        )

    def search(
        self, base: str, filter_: str, attributes: Sequence[str], most: int
    ) -> tuple[Hit, ...]:
        """Return up to `most` entries below `base`; one more than one cares for."""
        return self._search(base, filter_, attributes, SUBTREE, most)

    def read(self, dn: str, filter_: str, attributes: Sequence[str]) -> tuple[Hit, ...]:
        """Return the entry `dn` if the filter matches it."""
        return self._search(dn, filter_, attributes, BASE, 1)

    def _search(
        self, base: str, filter_: str, attributes: Sequence[str], scope: str, most: int
    ) -> tuple[Hit, ...]:
        def ask() -> None:
            self._connection.search(
                base,
                filter_,
                scope,
                dereference_aliases=DEREF_NEVER,
                attributes=list(dict.fromkeys(attributes)),
                size_limit=most,
            )

        answer = self._done(ask)
        missing_entry = scope == BASE and answer.code == _NO_SUCH_OBJECT
        if answer.code == _REFERRAL or missing_entry:
            # Referrals are never followed: they could lead anywhere.
            return ()
        if answer.code not in (SUCCESS, _SIZE_LIMIT_EXCEEDED):
            raise Misconfigured(f"searching {base!r} was refused: {answer.words}")
        return tuple(_hits(self._connection.response or ()))

    def change_password(self, old: str, new: str) -> Answer:
        """Change the password of whom this session is bound as."""

        def ask() -> None:
            self._connection.extend.standard.modify_password(
                old_password=old.encode(),
                new_password=new.encode(),
                controls=[(REQUEST_OID, False, None)],
            )

        return self._done(ask)

    def close(self) -> None:
        """End the conversation; nobody waits for a goodbye."""
        timed: TimedSocket | None = self._connection.socket
        if timed is not None:
            timed.close()

    def _done(self, operation: Callable[[], None]) -> Answer:
        try:
            operation()
            result: dict[str, Any] = self._connection.result
            code = int(result["result"])
            words = str(result["message"] or result["description"])
            policy = read_answer(result)
        except BROKEN as error:
            raise ServerFailed(str(error), hung=self._deadline.is_over) from error
        if code in _SERVER_IN_TROUBLE:
            raise ServerFailed(words)
        return Answer(code, words[:500], policy)


def _hits(response: Sequence[dict[str, Any]]) -> Sequence[Hit]:
    return [
        Hit(
            item["dn"],
            {
                attribute.lower(): tuple(
                    value.decode(errors="replace") for value in values
                )
                for attribute, values in item["raw_attributes"].items()
            },
        )
        for item in response
        if item["type"] == "searchResEntry"
    ]
