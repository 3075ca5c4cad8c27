"""Which trees of datasets lie at the store, and who holds them."""

from typing import Any, Final, cast

from sqlalchemy import (
    ColumnElement,
    Engine,
    Row,
    Table,
    and_,
    case,
    delete,
    exists,
    select,
    update,
)

from kqi_hub.db.dataset_rows import (
    DATASETS,
    ENTRIES,
    ITEMS,
    counts_of,
    dataset_of,
    is_locked,
    with_lock,
)
from kqi_hub.db.dataset_tables import TreeHoldRow, TreeRow
from kqi_hub.db.engine import reading, writing
from kqi_hub.db.upsert import insert_missing, upsert
from kqi_hub.db.uses import busy_item
from kqi_hub.domain.data import Placed
from kqi_hub.domain.dataset_ports import Content, TreeNote, TreeState

_TREES: Final = cast(Table, TreeRow.__table__)
_HOLDS: Final = cast(Table, TreeHoldRow.__table__)
_T, _H, _D, _E = _TREES.c, _HOLDS.c, DATASETS.c, ENTRIES.c
_IS_HELD: Final = exists().where(_H.tenant == _T.tenant, _H.key == _T.key)
# A locked dataset's present tree is what the next job reads.
_IS_NEEDED: Final = exists().where(
    _D.number == _T.dataset, _D.tree_key == _T.key, is_locked()
)


class SqlTreeStore:
    """A TreeStore (domain/dataset_ports.py); any thread may call it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def content(self, dataset_id: int) -> Content | None:
        """Return a dataset's content, quickly whatever its size."""
        with reading(self._engine) as connection:
            query = with_lock().where(_D.number == dataset_id)
            row = connection.execute(query).one_or_none()
            if row is None:
                return None
            is_free = not row.is_locked
            counted = counts_of(connection, [dataset_id]) if is_free else {}
            count = counted.get(dataset_id)
            stamp = _stamp(row, count)
            return Content(
                dataset=dataset_of(row, count),
                stamp=stamp,
                key=row.tree_key if row.tree_stamp == stamp else None,
                # Nothing comes to a locked one, nor goes.
                busy=busy_item(connection, dataset_id) if is_free else None,
            )

    def versions(self, dataset_id: int) -> tuple[tuple[Placed, int], ...]:
        """Return every entry with its item's version."""
        query = (
            select(_E.type, _E.data_id, ITEMS.c.version)
            .join_from(ENTRIES, ITEMS, and_(ITEMS.c.number == _E.data_id))
            .where(_E.dataset == dataset_id)
            .order_by(_E.type, _E.data_id)
        )
        with reading(self._engine) as connection:
            return tuple(
                (Placed(row.type, row.data_id), row.version)
                for row in connection.execute(query)
            )

    def remember_key(self, dataset_id: int, stamp: str, key: str) -> None:
        """Keep the key of a content, for the next time."""
        statement = update(DATASETS).where(_D.number == dataset_id)
        with writing(self._engine) as connection:
            connection.execute(statement.values(tree_stamp=stamp, tree_key=key))

    def tree(self, tenant: str, key: str) -> TreeNote | None:
        """Return one."""
        query = select(_TREES).where(_is(tenant, key))
        with reading(self._engine) as connection:
            row = connection.execute(query).one_or_none()
            return None if row is None else _note(row)

    def use(self, tenant: str, key: str, holder: str | None, now: float) -> bool:
        """Note a use, and who holds the tree until released; False if none is ready."""
        ready = and_(_is(tenant, key), _T.state == TreeState.READY.value)
        with writing(self._engine) as connection:
            used = update(_TREES).where(ready).values(used_at=_later(now))
            if not connection.execute(used).rowcount:
                return False
            if holder is not None:
                row = {"holder": holder, "tenant": tenant, "key": key}
                connection.execute(insert_missing(connection, _HOLDS), row)
            return True

    def built(self, tree: TreeNote) -> None:
        """Note a tree that the store has made."""
        row = {
            "tenant": tree.tenant,
            "key": tree.key,
            "dataset": tree.dataset_id,
            "state": tree.state.value,
            "files": tree.files,
            "bytes": tree.bytes,
            "built_at": tree.built_at,
            "used_at": tree.used_at,
        }
        with writing(self._engine) as connection:
            connection.execute(upsert(connection, _TREES), row)

    def release_trees(self, holder: str, now: float) -> None:
        """Let go of whatever a thing holds; nothing held is no error."""
        held = exists().where(
            _H.holder == holder, _H.tenant == _T.tenant, _H.key == _T.key
        )
        with writing(self._engine) as connection:
            used = update(_TREES).where(held).values(used_at=_later(now))
            connection.execute(used)
            connection.execute(delete(_HOLDS).where(_H.holder == holder))

    def holders(self) -> tuple[str, ...]:
        """Return everything that holds a tree."""
        with reading(self._engine) as connection:
            query = select(_H.holder).distinct().order_by(_H.holder)
            return tuple(connection.scalars(query))

    def unused(self, before: float, limit: int = 100) -> tuple[TreeNote, ...]:
        """Return trees last used before a moment that nobody holds."""
        query = select(_TREES).where(_is_unused(before)).order_by(_T.used_at)
        with reading(self._engine) as connection:
            rows = connection.execute(query.limit(limit))
            return tuple(map(_note, rows))

    def begin_removal(self, tenant: str, key: str, before: float) -> bool:
        """Take a tree out of use; False if somebody uses it again meanwhile."""
        with writing(self._engine) as connection:
            # Whoever uses it now waits for this row, and then finds it going.
            row = select(_T.key).where(_is(tenant, key)).with_for_update()
            connection.execute(row)
            going = update(_TREES).where(_is(tenant, key), _is_unused(before))
            done = connection.execute(going.values(state=TreeState.REMOVING.value))
            return bool(done.rowcount)

    def removing(self) -> tuple[TreeNote, ...]:
        """Return trees whose removal has begun."""
        query = select(_TREES).where(_T.state == TreeState.REMOVING.value)
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(_T.used_at))
            return tuple(map(_note, rows))

    def forget(self, tenant: str, key: str) -> None:
        """Remove the note of a tree that is no longer there."""
        with writing(self._engine) as connection:
            connection.execute(delete(_HOLDS).where(_H.tenant == tenant, _H.key == key))
            connection.execute(delete(_TREES).where(_is(tenant, key)))

    def keys(self, tenant: str) -> tuple[str, ...]:
        """Return the keys of a tenant's trees, for comparing with the store."""
        query = select(_T.key).where(_T.tenant == tenant).order_by(_T.key)
        with reading(self._engine) as connection:
            return tuple(connection.scalars(query))


def _stamp(row: Row[Any], counted: Row[Any] | None) -> str:
    """Return a text that differs whenever the content does.

    Versions of items only grow: with the same entries, so does their sum.
    """
    versions = row.versions if row.is_locked else 0
    return f"{row.revision} {versions if counted is None else int(counted.versions)}"


def _is(tenant: str, key: str) -> ColumnElement[bool]:
    return and_(_T.tenant == tenant, _T.key == key)


def _is_unused(before: float) -> ColumnElement[bool]:
    return and_(
        _T.state == TreeState.READY.value,
        _T.used_at < before,
        ~_IS_HELD,
        ~_IS_NEEDED,
    )


def _later(now: float) -> ColumnElement[float]:
    return case((_T.used_at < now, now), else_=_T.used_at)


def _note(row: Row[Any]) -> TreeNote:
    return TreeNote(
        tenant=row.tenant,
        key=row.key,
        dataset_id=row.dataset,
        state=TreeState(row.state),
        files=row.files,
        bytes=row.bytes,
        built_at=row.built_at,
        used_at=row.used_at,
    )
