"""The way through the pages: what is offered to whom, and the keys that lead there."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from handlers.access import Who
from kqi_hub.domain.people import Standing
from kqi_hub.face.look import Entry, Group, Shortcut
from kqi_hub.i18n import N_, Texts


@dataclass(frozen=True, slots=True)
class Offer:
    """A page of a group, and who is offered it."""

    group: str
    entry: Entry
    who: Who = Who.PERSON


_WORK: Final = N_("Work")
_ACCOUNT: Final = N_("Account")
_DEVELOPERS: Final = N_("Developers")
# Path, name, icon, key and purpose, in the order of the work; a page that is not built
# yet has no route, and so is not offered.
_OFFERS: Final = (
    Offer(
        _WORK,
        Entry(
            "",
            N_("Overview"),
            "house",
            "h",
            N_("Who you are here, and in which tenants."),
        ),
    ),
    Offer(
        _WORK,
        Entry(
            "notebooks",
            N_("Notebooks"),
            "journal-code",
            "n",
            N_("Jupyter on the cluster: start, open, stop."),
        ),
    ),
    Offer(
        _WORK,
        Entry(
            "data",
            N_("Data"),
            "database",
            "b",
            N_("Files that your tenant keeps: bring, find, tag, look."),
        ),
    ),
    Offer(
        _WORK,
        Entry(
            "preprocessing",
            N_("Preprocessings"),
            "gear",
            "p",
            N_("New data from data: defined once, run on many."),
        ),
    ),
    Offer(
        _WORK,
        Entry(
            "datasets",
            N_("Datasets"),
            "collection",
            "s",
            N_("Data in groups, as jobs and notebooks read them."),
        ),
    ),
    Offer(
        _WORK,
        Entry(
            "training",
            N_("Trainings"),
            "cpu",
            "t",
            N_("From data and code to a result, kept to be done again."),
        ),
    ),
    Offer(
        _WORK,
        Entry(
            "inference",
            N_("Inferences"),
            "bullseye",
            "i",
            N_("What trainings have made, put to work and compared."),
        ),
    ),
    Offer(
        _WORK,
        Entry(
            "jobs",
            N_("All jobs"),
            "list",
            "j",
            N_("Everything that you have in Slurm, submitted by hand too."),
        ),
    ),
    Offer(
        _WORK,
        Entry(
            "usage",
            N_("Usage"),
            "graph-up",
            "u",
            N_("What was used and what it cost, run by run; bills."),
        ),
    ),
    Offer(
        _WORK,
        Entry(
            "budgets",
            N_("Budgets"),
            "sliders",
            "o",
            N_("What tenants may spend and have, and what is left."),
        ),
    ),
    Offer(
        _WORK,
        Entry(
            "environments",
            N_("Environments"),
            "box-seam",
            "e",
            N_("Your conda environments: make, mend, take with you."),
        ),
    ),
    Offer(
        _WORK,
        Entry(
            "files",
            N_("Files"),
            "folder-fill",
            "f",
            N_("What lies on scratch: look, bring, take with you, tidy up."),
        ),
    ),
    Offer(
        _ACCOUNT,
        Entry(
            "me",
            N_("Your account"),
            "person",
            "m",
            N_("Password, second factor, keys and tokens."),
        ),
    ),
    Offer(
        _DEVELOPERS,
        Entry(
            "api",
            N_("REST API"),
            "braces",
            "a",
            N_("Everything the pages do, for programs."),
        ),
    ),
    Offer(
        _DEVELOPERS,
        Entry(
            "design",
            N_("Design"),
            "palette",
            "d",
            N_("Every part that pages are made of, in every state."),
        ),
        Who.OPERATOR,
    ),
)
_ALWAYS: Final = (
    Shortcut(("?",), N_("Show this help")),
    Shortcut(("/",), N_("Go to the search field")),
    Shortcut(("t",), N_("Open the menu of tenants")),
    Shortcut(("Esc",), N_("Close a menu or a dialog")),
)


def groups_for(
    who: Standing | None, has_page: Callable[[str], bool], texts: Texts
) -> tuple[Group, ...]:
    """Return what a person is offered, in their language."""
    found: dict[str, list[Entry]] = {}
    for offer in _OFFERS if who is not None else ():
        if has_page(f"/{offer.entry.path}") and who and _may(who, offer.who):
            found.setdefault(offer.group, []).append(_said(offer.entry, texts))
    return tuple(
        Group(texts.say(label), tuple(entries)) for label, entries in found.items()
    )


def shortcuts_for(groups: tuple[Group, ...], texts: Texts) -> tuple[Shortcut, ...]:
    """Return the keys that work for a person, in their language."""
    ways = tuple(
        Shortcut(("g", entry.key), entry.label)
        for group in groups
        for entry in group.entries
    )
    return ways + tuple(Shortcut(s.keys, texts.say(s.label)) for s in _ALWAYS)


def _said(entry: Entry, texts: Texts) -> Entry:
    label, about = texts.say(entry.label), texts.say(entry.about)
    return Entry(entry.path, label, entry.icon, entry.key, about)


def _may(who: Standing, needed: Who) -> bool:
    if needed is Who.OPERATOR:
        return who.is_operator
    role = needed.role
    return role is None or any(m.role >= role for m in who.memberships)
