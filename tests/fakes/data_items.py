"""Data items made in a line, for tests of what is built on them."""

from kqi_hub.domain.data import DataItem, DataState, Origin
from kqi_hub.domain.people import Membership, Role, Standing
from kqi_hub.services.tenant_rights import Asker


def data_item(
    number: int,
    tenant: str = "vision",
    *,
    files: int = 2,
    size: int = 43,
    version: int = 1,
    name: str = "signs",
    person: str = "mia",
    parents: tuple[int, ...] = (),
    state: DataState = DataState.READY,
) -> DataItem:
    """Return an item; its number says nothing else about it."""
    return DataItem(
        id=number,
        tenant=tenant,
        name=name,
        memo="",
        tags=("raw",),
        state=state,
        origin=Origin.UPLOAD,
        files=files,
        bytes=size,
        version=version,
        created_by=person,
        created_at=1.0,
        changed_at=1.0,
        parents=parents,
    )


def somebody(
    person: str, role: Role | None = Role.MEMBER, *tenants: str, operator: bool = False
) -> Asker:
    """Return somebody with one role in tenants; without tenants, in `vision`."""
    found = () if role is None else tenants or ("vision",)
    known = tuple(Membership(one, role or Role.VIEWER) for one in found)
    return Asker(Standing(person, known, is_operator=operator), "192.0.2.1")
