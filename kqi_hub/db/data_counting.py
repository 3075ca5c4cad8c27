"""How much a tenant keeps, as its lists show it, and one person in it."""

from typing import Final

from sqlalchemy import Connection, select

from kqi_hub.db.data_rows import ITEMS, UNDER_WAY, UPLOADS, total
from kqi_hub.domain.data import DataState, StoreUse
from kqi_hub.domain.data_item_ports import PersonUse
from kqi_hub.domain.data_quota import Used

_I, _U = ITEMS.c, UPLOADS.c
_IS_READY: Final = _I.state == DataState.READY.value
_IS_COMING: Final = _U.state.in_(UNDER_WAY)


def use_of(connection: Connection, tenant: str, person: str | None) -> StoreUse:
    """Count what is kept, and the bytes that uploads have announced."""
    kept, coming = (
        _kept(connection, tenant, person),
        _coming(connection, tenant, person),
    )
    return StoreUse(kept.files, kept.bytes, coming.bytes)


def used_of(connection: Connection, tenant: str, person: str | None) -> Used:
    """Count what is kept and what uploads have announced, as quotas do."""
    kept, coming = (
        _kept(connection, tenant, person),
        _coming(connection, tenant, person),
    )
    return Used(kept.files + coming.files, kept.bytes + coming.bytes)


def use_by_person(connection: Connection, tenant: str) -> tuple[PersonUse, ...]:
    """Count what each person keeps in a tenant, the most bytes first."""
    kept = (
        select(_I.created_by, total(_I.files), total(_I.bytes))
        .where(_I.tenant == tenant, _IS_READY)
        .group_by(_I.created_by)
    )
    coming = (
        select(_U.person, total(_U.bytes))
        .where(_U.tenant == tenant, _IS_COMING)
        .group_by(_U.person)
    )
    has = {name: (files, size) for name, files, size in connection.execute(kept)}
    sends = {row[0]: row[1] for row in connection.execute(coming)}
    found = [
        PersonUse(name, StoreUse(*has.get(name, (0, 0)), sends.get(name, 0)))
        for name in has.keys() | sends.keys()
    ]
    return tuple(sorted(found, key=lambda one: (-one.use.bytes, one.person)))


def _kept(connection: Connection, tenant: str, person: str | None) -> Used:
    query = select(total(_I.files), total(_I.bytes))
    query = query.where(_I.tenant == tenant, _IS_READY)
    if person is not None:
        query = query.where(_I.created_by == person)
    return Used(*connection.execute(query).one())


def _coming(connection: Connection, tenant: str, person: str | None) -> Used:
    query = select(total(_U.files), total(_U.bytes))
    query = query.where(_U.tenant == tenant, _IS_COMING)
    if person is not None:
        query = query.where(_U.person == person)
    return Used(*connection.execute(query).one())
