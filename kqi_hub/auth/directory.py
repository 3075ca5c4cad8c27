"""The site's LDAP directory: check passwords, find people, change passwords.

Every check is the same conversation, whether the name exists or not: bind as the
portal, search the person, search the groups, bind as the person (or as nobody real).
"""

import logging
import secrets
import time
from collections.abc import Callable
from typing import Final

from kqi_hub.auth.closed_accounts import Closed
from kqi_hub.auth.entries import (
    Found,
    attributes_of_people,
    group_names,
    groups_filter,
    read_person,
)
from kqi_hub.auth.escape import dn_value, filter_value
from kqi_hub.auth.ldap_options import BindMode, DirectoryOptions
from kqi_hub.auth.ldap_servers import Servers
from kqi_hub.auth.ldap_session import SUCCESS, Answer, Hit, LdapSession, Misconfigured
from kqi_hub.auth.password_policy import PolicyError
from kqi_hub.domain.errors import InvalidInput, WrongPassword
from kqi_hub.domain.login import DirectoryAnswer, DirectoryVerdict as Verdict
from kqi_hub.domain.names import is_name
from kqi_hub.domain.people import Person
from kqi_hub.i18n import N_, Word

log = logging.getLogger(__name__)

LONGEST_PASSWORD_BYTES: Final = 4096
_MOST_GROUPS: Final = 1000
_PROTOCOL_ERROR: Final = 2
_CLOSED: Final = {
    Closed.DISABLED: Verdict.DISABLED,
    Closed.EXPIRED: Verdict.EXPIRED,
    Closed.LOCKED: Verdict.LOCKED,
}
_BY_POLICY: Final = {
    PolicyError.PASSWORD_EXPIRED: Verdict.EXPIRED,
    PolicyError.ACCOUNT_LOCKED: Verdict.LOCKED,
}
# 389 answers constraintViolation for an account that guessing has locked, and
# unwillingToPerform for one that was inactivated.
_BY_CODE: Final = {19: Verdict.LOCKED, 53: Verdict.DISABLED}
_POLICY_WORDS: Final = {
    PolicyError.PASSWORD_EXPIRED: N_("the old one has expired, an operator resets it"),
    PolicyError.ACCOUNT_LOCKED: N_("the account is locked"),
    PolicyError.MODIFICATION_NOT_ALLOWED: N_("passwords may not be changed here"),
    PolicyError.MUST_SUPPLY_OLD: N_("the old one must be given"),
    PolicyError.QUALITY: N_("it is too simple"),
    PolicyError.TOO_SHORT: N_("it is too short"),
    PolicyError.TOO_YOUNG: N_("the old one was changed too recently"),
    PolicyError.IN_HISTORY: N_("it was used before"),
}


class LdapDirectory:
    """A Directory (domain/login.py). Every method blocks; any thread may call it."""

    def __init__(
        self,
        options: DirectoryOptions,
        unix_uid: Callable[[str], int | None] | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Read certificates; `unix_uid`, if given, must agree about each person."""
        self._options = options
        self._unix_uid = unix_uid
        self._now = now
        self._servers = Servers(options, self._introduce)

    def check(self, name: str, password: str) -> DirectoryAnswer:
        """Check a password; takes as long for a name that does not exist."""
        if not is_name(name):
            return DirectoryAnswer(Verdict.UNKNOWN)
        if not _is_password(password):
            return DirectoryAnswer(Verdict.WRONG)
        return self._servers.run(lambda session: self._check(session, name, password))

    def lookup(self, name: str) -> Person | None:
        """Return the entry, None when unknown, disabled or expired."""
        if not is_name(name):
            return None

        def look(session: LdapSession) -> Person | None:
            self._introduce(session)
            found = self._find(session, name)
            groups = self._groups(session, found)
            if found is None or found.closed is not None:
                return None
            return self._agreed(found, groups)

        return self._servers.run(look)

    def change_password(self, name: str, old: str, new: str, code: str = "") -> None:
        """Change it as the person; InvalidInput carries the policy's own words."""
        if not is_name(name) or not _is_password(old) or not _is_password(new):
            raise InvalidInput("A password must not be empty or very long.")
        # A change that may have happened is never sent again.
        answer = self._servers.run(
            lambda session: self._change(session, name, old, new, code), keep=False
        )
        if answer.code != SUCCESS:
            raise _refusal(answer)

    def close(self) -> None:
        """Close idle connections."""
        self._servers.close()

    def _introduce(self, session: LdapSession) -> None:
        """Become the portal again: whoever the connection was before."""
        options = self._options
        if not options.bind_dn:
            session.bind_anonymously()
            return
        answer = session.bind(options.bind_dn, options.bind_password)
        if answer.code != SUCCESS:
            raise Misconfigured(
                f"the portal's own bind_dn {options.bind_dn!r} is refused: "
                f"{answer.words}"
            )

    def _check(self, session: LdapSession, name: str, password: str) -> DirectoryAnswer:
        if self._options.bind_mode is BindMode.DIRECT:
            return self._check_directly(session, name, password)
        self._introduce(session)
        found = self._find(session, name)
        groups = self._groups(session, found)
        answer = session.bind(found.dn if found else self._nobody(), password)
        if found is None:
            return DirectoryAnswer(Verdict.UNKNOWN)
        return self._judged(answer, found, groups)

    def _check_directly(
        self, session: LdapSession, name: str, password: str
    ) -> DirectoryAnswer:
        answer = session.bind(self._direct_dn(name), password)
        verdict = _verdict(answer)
        if verdict not in (Verdict.RIGHT, Verdict.MUST_CHANGE):
            return DirectoryAnswer(verdict)
        # Without an account of the portal's own, people read their own entry.
        if self._options.bind_dn or verdict is Verdict.MUST_CHANGE:
            self._introduce(session)
        found = self._find(session, name)
        if found is None:
            return DirectoryAnswer(Verdict.UNKNOWN)
        return self._judged(answer, found, self._groups(session, found))

    def _judged(
        self, answer: Answer, found: Found, groups: tuple[str, ...]
    ) -> DirectoryAnswer:
        if found.closed is not None:
            return DirectoryAnswer(_CLOSED[found.closed])
        verdict = _verdict(answer)
        if verdict not in (Verdict.RIGHT, Verdict.MUST_CHANGE):
            return DirectoryAnswer(verdict)
        person = self._agreed(found, groups)
        if person is None:
            return DirectoryAnswer(Verdict.UNKNOWN)
        policy = answer.policy
        return DirectoryAnswer(verdict, person, policy.expires_in_s, policy.grace_left)

    def _agreed(self, found: Found, groups: tuple[str, ...]) -> Person | None:
        """Return the person if Unix means the same one by this name."""
        person = found.person
        if self._unix_uid is not None:
            uid = self._unix_uid(person.name)
            if uid != person.uid:
                log.warning(
                    "%s is uid %d in the directory and %s on this machine: kept out",
                    person.name,
                    person.uid,
                    "nobody" if uid is None else uid,
                )
                return None
        return Person(person.name, person.uid, person.display_name, person.mail, groups)

    def _find(self, session: LdapSession, name: str) -> Found | None:
        options = self._options
        attributes = attributes_of_people(options.person)
        test = f"({options.person.name}={filter_value(name)})"
        filter_ = f"(&{options.user_filter}{test})"
        if options.bind_mode is BindMode.DIRECT:
            hits = session.read(self._direct_dn(name), filter_, attributes)
        else:
            hits = session.search(options.people_base, filter_, attributes, most=2)
        return self._only(hits, name)

    def _only(self, hits: tuple[Hit, ...], name: str) -> Found | None:
        if len(hits) > 1:
            log.warning(
                "more than one entry is called %r: %s", name, [hit.dn for hit in hits]
            )
            return None
        if not hits:
            return None
        hit = hits[0]
        return read_person(hit.dn, hit.entry, name, self._options.person, self._now())

    def _groups(self, session: LdapSession, found: Found | None) -> tuple[str, ...]:
        options = self._options
        of_whom = found or Found(self._nobody(), Person("nobody", 0, ""), None, None)
        hits = session.search(
            options.groups_base,
            groups_filter(of_whom, options.group),
            [options.group.name],
            most=_MOST_GROUPS,
        )
        if len(hits) >= _MOST_GROUPS:
            raise Misconfigured(f"{of_whom.dn!r} is in {_MOST_GROUPS} groups or more")
        return group_names([hit.entry for hit in hits], options.group)

    def _change(
        self, session: LdapSession, name: str, old: str, new: str, code: str
    ) -> Answer:
        if self._options.bind_mode is BindMode.DIRECT:
            dn = self._direct_dn(name)
        else:
            self._introduce(session)
            found = self._find(session, name)
            dn = found.dn if found and found.closed is None else self._nobody()
        verdict = _verdict(session.bind(dn, old + code))
        if verdict not in (Verdict.RIGHT, Verdict.MUST_CHANGE):
            raise WrongPassword("The present password is wrong.")
        return session.change_password(old, new)

    def _direct_dn(self, name: str) -> str:
        return self._options.user_dn_template.format(name=dn_value(name))

    def _nobody(self) -> str:
        """Return a DN that nobody has, below the one where people are."""
        attribute = self._options.person.name
        return f"{attribute}=nobody-{secrets.token_hex(8)},{self._options.people_base}"


def _is_password(text: str) -> bool:
    """Tell whether a bind with it would check anything; empty ones succeed."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        return False
    return 0 < size <= LONGEST_PASSWORD_BYTES and "\0" not in text


def _verdict(answer: Answer) -> Verdict:
    """Read the result of binding as a person."""
    policy = answer.policy
    # Active Directory says so with a refusal, and only to the right password.
    if policy.error is PolicyError.CHANGE_AFTER_RESET:
        return Verdict.MUST_CHANGE
    if answer.code == SUCCESS:
        return Verdict.RIGHT
    if policy.is_disabled:
        return Verdict.DISABLED
    if policy.is_account_expired:
        return Verdict.EXPIRED
    by_code = _BY_CODE.get(answer.code, Verdict.WRONG)
    return by_code if policy.error is None else _BY_POLICY.get(policy.error, by_code)


def _refusal(answer: Answer) -> InvalidInput:
    if answer.code == _PROTOCOL_ERROR:
        return InvalidInput(
            "This directory does not let programs change passwords.",
            "Change it where your site says, then log in again.",
        )
    error = answer.policy.error
    known = None if error is None else _POLICY_WORDS.get(error)
    if known is None:
        return InvalidInput(
            "The directory refuses the new password: {said}.", said=answer.words
        )
    return InvalidInput(
        "The directory refuses the new password: {reason}.",
        "It says: {said}",
        reason=Word(known),
        said=answer.words,
    )
