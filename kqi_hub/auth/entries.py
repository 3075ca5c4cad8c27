"""Read a person out of a directory entry; refuse what cannot be one."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from kqi_hub.auth.closed_accounts import Closed, Entry, closed, wanted
from kqi_hub.auth.escape import filter_value
from kqi_hub.auth.ldap_options import GroupAttributes, PersonAttributes
from kqi_hub.domain.names import is_name
from kqi_hub.domain.people import Person

log = logging.getLogger(__name__)

_LONGEST_TEXT = 200
_LARGEST_UID = 2**32 - 2


@dataclass(frozen=True, slots=True)
class Found:
    """An entry that is a person: what it says, groups apart."""

    dn: str
    person: Person
    gid: int | None
    closed: Closed | None


def attributes_of_people(wants: PersonAttributes) -> tuple[str, ...]:
    """Return what to ask for; operational attributes come only by their names."""
    return (
        wants.name,
        wants.uid,
        wants.gid,
        *wants.display_name,
        wants.mail,
        *wanted(wants.closed, wants.closed_when),
    )


def read_person(
    dn: str, entry: Entry, name: str, wants: PersonAttributes, now: float
) -> Found | None:
    """Return the person of an entry that was found under `name`; None is logged."""
    own_name = _own_name(dn, entry, wants.name)
    if own_name != name or not is_name(own_name):
        # The directory compares without case and spaces; Unix does not.
        log.warning("entry %r answers to %r but is called %r", dn, name, own_name)
        return None
    uid = _number(entry, wants.uid)
    if uid is None:
        log.warning("entry %r has no single number in %s", dn, wants.uid)
        return None
    names = (_first(entry, attribute) for attribute in wants.display_name)
    display_name = next(filter(None, names), name)
    person = Person(name, uid, display_name, mail=_first(entry, wants.mail))
    reason = closed(entry, wants.closed, wants.closed_when, now)
    return Found(dn, person, _number(entry, wants.gid), reason)


def groups_filter(found: Found, wants: GroupAttributes) -> str:
    """Return the filter for the groups of a person, the primary group included."""
    name, dn = filter_value(found.person.name), filter_value(found.dn)
    tests = [
        f"({attribute}={name if attribute.lower() == 'memberuid' else dn})"
        for attribute in wants.members
    ]
    if found.gid is not None:
        tests.append(f"(gidNumber={found.gid})")
    return f"(&{wants.filter}(|{''.join(tests)}))"


def group_names(entries: Sequence[Entry], wants: GroupAttributes) -> tuple[str, ...]:
    """Return the names of groups, sorted, each once."""
    names = {name for entry in entries for name in entry.get(wants.name.lower(), ())}
    return tuple(sorted(name for name in names if 0 < len(name) <= _LONGEST_TEXT))


def _own_name(dn: str, entry: Entry, attribute: str) -> str | None:
    """Return the entry's one name: the only value, or the one that its DN uses."""
    values = entry.get(attribute.lower(), ())
    if len(values) == 1:
        return values[0]
    first, _, rest = dn.partition("=")
    if first.strip().lower() != attribute.lower():
        return None
    return next((value for value in values if rest.startswith(f"{value},")), None)


def _number(entry: Entry, attribute: str) -> int | None:
    values = entry.get(attribute.lower(), ())
    if len(values) != 1 or not (values[0].isascii() and values[0].isdigit()):
        return None
    number = int(values[0][:20])
    return number if number <= _LARGEST_UID else None


def _first(entry: Entry, attribute: str) -> str:
    for value in entry.get(attribute.lower(), ()):
        text = "".join(char for char in value if char.isprintable()).strip()
        if text:
            return text[:_LONGEST_TEXT]
    return ""
