"""People, tenants, and what a person may do in which tenant."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from kqi_hub.domain.one_line import has_hidden

LONGEST_SHOWN_NAME: Final = 100


class Role(IntEnum):
    """What a person may do in a tenant; a higher role includes the lower ones."""

    VIEWER = 1
    MEMBER = 2
    MANAGER = 3


@dataclass(frozen=True, slots=True)
class Person:
    """One entry of the directory; `name` is its spelling, never a form's."""

    name: str
    uid: int
    display_name: str
    mail: str = ""
    groups: tuple[str, ...] = ()


def shown_name(person: Person) -> str:
    """Return a person's name as lists show it beside that of the login.

    Without what hides or turns text; empty where the directory has no other name.
    """
    kept = "".join(" " if has_hidden(char) else char for char in person.display_name)
    name = " ".join(kept.split())[:LONGEST_SHOWN_NAME].strip()
    return "" if name == person.name else name


@dataclass(frozen=True, slots=True)
class Membership:
    """One tenant that a person belongs to."""

    tenant: str
    role: Role


@dataclass(frozen=True, slots=True)
class Standing:
    """Everything that decides what a person sees and may do."""

    person: str
    memberships: tuple[Membership, ...]
    is_operator: bool = False

    def role_in(self, tenant: str) -> Role | None:
        """Return the role in a tenant, None when the person does not belong to it."""
        return next((m.role for m in self.memberships if m.tenant == tenant), None)


@dataclass(frozen=True, slots=True)
class GroupRules:
    """How directory groups become roles; tenant `vision` is the group `vision`."""

    portal_group: str
    operators_group: str
    manager_suffix: str = "-managers"
    viewer_suffix: str = "-viewers"


def standing(
    person: str,
    groups: Collection[str],
    submits_to: Collection[str],
    tenants: Iterable[str],
    rules: GroupRules,
) -> Standing:
    """Derive roles from directory groups and Slurm associations.

    `tenants` are the Slurm accounts that are tenants; `submits_to` those that the
    person has an association with. Who is in the group but may not submit looks on.
    """
    found = []
    for tenant in sorted(set(tenants)):
        role = _role(tenant, groups, submits_to, rules)
        if role is not None:
            found.append(Membership(tenant, role))
    return Standing(person, tuple(found), rules.operators_group in groups)


def _role(
    tenant: str, groups: Collection[str], submits_to: Collection[str], rules: GroupRules
) -> Role | None:
    if f"{tenant}{rules.manager_suffix}" in groups:
        return Role.MANAGER
    if tenant in submits_to:
        return Role.MEMBER
    if tenant in groups or f"{tenant}{rules.viewer_suffix}" in groups:
        return Role.VIEWER
    return None
