"""The way through the pages: what is offered to whom, and the keys that lead there."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from handlers.access import Who
from handlers.texts import N_, Texts
from kqi_hub.domain.people import Standing


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the navigation; `key` follows `g` on the keyboard."""

    path: str
    label: str
    icon: str
    key: str
    about: str
    who: Who = Who.PERSON


@dataclass(frozen=True, slots=True)
class Group:
    """Entries that belong together."""

    label: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Shortcut:
    """One line of the help on the keyboard."""

    keys: tuple[str, ...]
    label: str


# A page that is not built yet has no route, and so no entry.
_GROUPS: Final = (
    Group(
        N_("Work"),
        (
            Entry(
                "",
                N_("Overview"),
                "house",
                "h",
                N_("Who you are here, and in which tenants."),
            ),
        ),
    ),
    Group(
        N_("Account"),
        (
            Entry(
                "me",
                N_("Your account"),
                "person",
                "m",
                N_("Password, second factor, keys and tokens."),
            ),
        ),
    ),
    Group(
        N_("Developers"),
        (
            Entry(
                "api",
                N_("REST API"),
                "braces",
                "a",
                N_("Everything the pages do, for programs."),
            ),
            Entry(
                "design",
                N_("Design"),
                "palette",
                "d",
                N_("Every part that pages are made of, in every state."),
                Who.OPERATOR,
            ),
        ),
    ),
)
_ALWAYS: Final = (
    Shortcut(("?",), N_("Show this help")),
    Shortcut(("/",), N_("Go to the search field")),
    Shortcut(("t",), N_("Open the menu of tenants")),
    Shortcut(("Esc",), N_("Close a menu or a dialog")),
)


def groups_for(
    who: Standing | None, has_page: Callable[[str], bool], said: Texts
) -> tuple[Group, ...]:
    """Return what a person is offered, in their language."""
    if who is None:
        return ()
    offered = []
    for group in _GROUPS:
        entries = tuple(
            replace(e, label=said.say(e.label), about=said.say(e.about))
            for e in group.entries
            if has_page("/" + e.path) and _may(who, e.who)
        )
        if entries:
            offered.append(Group(said.say(group.label), entries))
    return tuple(offered)


def shortcuts_for(groups: tuple[Group, ...], said: Texts) -> tuple[Shortcut, ...]:
    """Return the keys that work for a person, in their language."""
    ways = tuple(
        Shortcut(("g", entry.key), entry.label)
        for group in groups
        for entry in group.entries
    )
    return ways + tuple(Shortcut(s.keys, said.say(s.label)) for s in _ALWAYS)


def _may(who: Standing, needed: Who) -> bool:
    if needed is Who.OPERATOR:
        return who.is_operator
    if needed.role is not None:
        wanted = needed.role
        return any(m.role >= wanted for m in who.memberships)
    return True
