"""Uploads in the database: from announced to shown, each step one transaction."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, cast

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    and_,
    delete,
    func,
    insert,
    select,
    update,
)

from kqi_hub.db.data_counting import used_of
from kqi_hub.db.data_file_rows import insert_files
from kqi_hub.db.data_going import refuse_blocked
from kqi_hub.db.data_rows import (
    FILES,
    ITEMS,
    PARENTS,
    TAGS,
    UNDER_WAY,
    UPLOADS,
    delete_item,
    held_item,
    known_item,
    later,
    refuse_busy,
    total,
    upload_of,
)
from kqi_hub.db.data_users import DataUsers
from kqi_hub.db.engine import reading, writing
from kqi_hub.db.tenant_lock import hold_tenant
from kqi_hub.domain.data import (
    DataItem,
    DataState,
    StoredFile,
    Upload,
    UploadState,
)
from kqi_hub.domain.data_errors import (
    data_gone,
    no_parent,
    no_upload,
    upload_busy,
    upload_over,
)
from kqi_hub.domain.data_quota import check_room
from kqi_hub.domain.errors import Conflict, Incomplete, NotFound
from kqi_hub.domain.upload_ports import NewData, NewUpload, Quotas

_I, _F, _U = ITEMS.c, FILES.c, UPLOADS.c
_ENDED: Final = (UploadState.DONE.value, UploadState.DROPPED.value)
_MOST_LISTED: Final = 1000


class SqlUploadStore:
    """An UploadStore (domain/upload_ports.py); any thread may call it."""

    def __init__(self, engine: Engine, users: DataUsers) -> None:
        self._engine = engine
        self._users = users

    def begin(
        self, new: NewData, upload: NewUpload, quotas: Quotas
    ) -> tuple[DataItem, Upload]:
        """Keep a new item, UPLOADING, and its upload; NoRoom beyond a quota."""
        with writing(self._engine) as connection:
            hold_tenant(connection, new.tenant)
            _refuse_known(connection, upload.key)
            _check_parents(connection, new)
            _check_room(connection, new.tenant, upload, quotas)
            data_id = _insert_item(connection, new, upload)
            kept = _insert_upload(connection, data_id, new.tenant, upload)
            return known_item(connection, data_id), kept

    def begin_more(self, data_id: int, upload: NewUpload, quotas: Quotas) -> Upload:
        """Keep an upload into a READY item."""
        with writing(self._engine) as connection:
            item = held_item(connection, data_id, DataState.READY)
            refuse_blocked(connection, self._users, item)
            _check_room(connection, item.tenant, upload, quotas)
            return _insert_upload(connection, data_id, item.tenant, upload)

    def upload(self, key: str) -> Upload | None:
        """Return one."""
        return next(iter(self._some(_U.key == key)), None)

    def of_person(self, person: str, tenant: str | None = None) -> tuple[Upload, ...]:
        """Return a person's uploads under way and lately dropped, newest first."""
        is_wanted = and_(
            _U.person == person, _U.state.in_((*UNDER_WAY, UploadState.DROPPED.value))
        )
        if tenant is not None:
            is_wanted = and_(is_wanted, _U.tenant == tenant)
        return self._some(is_wanted, _U.began_at.desc(), _MOST_LISTED)

    def into(self, data_id: int) -> tuple[Upload, ...]:
        """Return the uploads under way into an item."""
        is_wanted = and_(_U.data_id == data_id, _U.state.in_(UNDER_WAY))
        return self._some(is_wanted, _U.began_at, _MOST_LISTED)

    def extend(self, key: str, expires_at: float) -> Upload:
        """Let an OPEN upload live longer; never shorter."""
        statement = update(UPLOADS).where(
            _U.key == key,
            _U.state == UploadState.OPEN.value,
            _U.expires_at < expires_at,
        )
        with writing(self._engine) as connection:
            connection.execute(statement.values(expires_at=expires_at))
            return _known(connection, key)

    def publishing(self, key: str, now: float) -> Upload:
        """Begin to publish, or go on: return it as it is then."""
        with writing(self._engine) as connection:
            found = _held(connection, key)
            if found.state is UploadState.DROPPED:
                raise upload_over()
            if found.state is UploadState.OPEN:
                self._may_publish(connection, found)
                _set(connection, key, UploadState.PUBLISHING, now)
            return _known(connection, key)

    def add_files(self, key: str, files: Sequence[StoredFile], now: float) -> bool:
        """Keep a page of published files, not shown yet; repeating it is fine."""
        with writing(self._engine) as connection:
            row = connection.execute(
                select(_U.state, _U.data_id).where(_U.key == key).with_for_update()
            ).first()
            if row is None or row.state != UploadState.PUBLISHING.value:
                return False
            version = known_item(connection, row.data_id).version + 1
            insert_files(connection, row.data_id, version, files)
            _set(connection, key, UploadState.PUBLISHING, now)
            return True

    def published(self, key: str, now: float) -> DataItem | None:
        """Show the files: the upload is DONE, the item READY and a version further."""
        with writing(self._engine) as connection:
            upload = _held(connection, key)
            if upload.state is UploadState.PUBLISHING:
                _check_all_there(connection, upload)
                _set(connection, key, UploadState.DONE, now, is_kept=True)
                connection.execute(
                    update(ITEMS)
                    .where(_I.number == upload.data_id)
                    .values(
                        state=DataState.READY.value,
                        files=_I.files + upload.files,
                        bytes=_I.bytes + upload.bytes,
                        version=_I.version + 1,
                        changed_at=later(_I.changed_at, now),
                    )
                )
            try:
                return known_item(connection, upload.data_id)
            except NotFound:
                return None

    def reopen(self, key: str, now: float) -> Upload:
        """Go back to OPEN: nothing of it has been published."""
        with writing(self._engine) as connection:
            found = _held(connection, key)
            if found.state is UploadState.PUBLISHING:
                connection.execute(delete(FILES).where(_is_new(connection, found)))
                _set(connection, key, UploadState.OPEN, now)
            return _known(connection, key)

    def drop(self, key: str, now: float) -> Upload:
        """End an OPEN upload; an item that was to begin with it goes too."""
        with writing(self._engine) as connection:
            found = _held(connection, key)
            if found.state is UploadState.PUBLISHING:
                raise upload_busy()
            if found.state is UploadState.OPEN:
                _set(connection, key, UploadState.DROPPED, now, is_kept=True)
                begins = select(_I.number).where(
                    _I.number == found.data_id,
                    _I.state == DataState.UPLOADING.value,
                )
                if connection.scalar(begins) is not None:
                    delete_item(connection, found.data_id)
            return _known(connection, key)

    def expired(self, now: float, limit: int = 100) -> tuple[Upload, ...]:
        """Return OPEN uploads whose time is over."""
        is_wanted = and_(_U.state == UploadState.OPEN.value, _U.expires_at <= now)
        return self._some(is_wanted, _U.expires_at, limit)

    def interrupted(self, before: float, limit: int = 100) -> tuple[Upload, ...]:
        """Return PUBLISHING uploads that nothing happened to since a moment."""
        is_wanted = and_(
            _U.state == UploadState.PUBLISHING.value, _U.changed_at < before
        )
        return self._some(is_wanted, _U.changed_at, limit)

    def left_over(self, before: float, limit: int = 100) -> tuple[Upload, ...]:
        """Return uploads ended before a moment that the store may still have."""
        is_wanted = and_(_U.state.in_(_ENDED), _U.is_kept, _U.changed_at < before)
        return self._some(is_wanted, _U.changed_at, limit)

    def cleared(self, key: str) -> None:
        """Note that the store has nothing of an ended upload any more."""
        statement = update(UPLOADS).where(_U.key == key, _U.state.in_(_ENDED))
        with writing(self._engine) as connection:
            connection.execute(statement.values(is_kept=False))

    def keys(self, tenant: str) -> tuple[str, ...]:
        """Return a tenant's uploads that the store may have something of."""
        query = select(_U.key).where(_U.tenant == tenant, _U.is_kept)
        with reading(self._engine) as connection:
            return tuple(connection.scalars(query.order_by(_U.key)))

    def forget_ended(self, before: float) -> int:
        """Remove cleared uploads that ended before a moment; return how many."""
        statement = delete(UPLOADS).where(
            _U.state.in_(_ENDED), ~_U.is_kept, _U.changed_at < before
        )
        with writing(self._engine) as connection:
            return connection.execute(statement).rowcount

    def _some(
        self,
        is_wanted: ColumnElement[bool],
        order: ColumnElement[Any] = _U.key,
        limit: int = 1,
    ) -> tuple[Upload, ...]:
        query = select(UPLOADS).where(is_wanted).order_by(order, _U.key).limit(limit)
        with reading(self._engine) as connection:
            return tuple(map(upload_of, connection.execute(query)))

    def _may_publish(self, connection: Connection, upload: Upload) -> None:
        try:
            item = known_item(connection, upload.data_id)
        except NotFound:
            item = None
        if item is None or item.state is DataState.REMOVING:
            raise data_gone()
        refuse_blocked(connection, self._users, item)
        refuse_busy(connection, item.id)


def _known(connection: Connection, key: str) -> Upload:
    row = connection.execute(select(UPLOADS).where(_U.key == key)).first()
    if row is None:
        raise no_upload()
    return upload_of(row)


def _held(connection: Connection, key: str) -> Upload:
    """Hold the upload's tenant and return the upload."""
    hold_tenant(connection, _known(connection, key).tenant)
    row = connection.execute(
        select(UPLOADS).where(_U.key == key).with_for_update()
    ).first()
    return _known(connection, key) if row is None else upload_of(row)


def _set(
    connection: Connection,
    key: str,
    state: UploadState,
    now: float,
    is_kept: bool = True,
) -> None:
    statement = update(UPLOADS).where(_U.key == key)
    values = {"state": state.value, "changed_at": now, "is_kept": is_kept}
    connection.execute(statement.values(values))


def _is_new(connection: Connection, upload: Upload) -> ColumnElement[bool]:
    """Return the condition of files that are being published."""
    version = known_item(connection, upload.data_id).version
    return and_(_F.data_id == upload.data_id, _F.version > version)


def _check_all_there(connection: Connection, upload: Upload) -> None:
    counted = select(func.count(), total(_F.size)).where(_is_new(connection, upload))
    files, size = connection.execute(counted).one()
    if (files, size) != (upload.files, upload.bytes):
        raise Incomplete(
            "Of this upload the store has files: {files}, bytes: {bytes}; announced "
            "were files: {all_files}, bytes: {all_bytes}.",
            "Send the rest, then finish again.",
            files=files,
            bytes=size,
            all_files=upload.files,
            all_bytes=upload.bytes,
        )


def _refuse_known(connection: Connection, key: str) -> None:
    """Refuse a key that an upload has: the tenant is held, so it is not begun twice."""
    if connection.scalar(select(_U.key).where(_U.key == key)) is not None:
        raise Conflict("This upload has begun already.", "Go on with it.")


def _check_parents(connection: Connection, new: NewData) -> None:
    query = select(_I.number).where(
        _I.number.in_(new.parents),
        _I.tenant == new.tenant,
        _I.state == DataState.READY.value,
    )
    found = set(connection.scalars(query))
    missing = [one for one in new.parents if one not in found]
    if missing:
        raise no_parent(new.tenant, missing[0])


def _check_room(
    connection: Connection, tenant: str, new: NewUpload, quotas: Quotas
) -> None:
    pairs = (
        (f"tenant {tenant}", None, quotas.tenant),
        (f"{new.person} in {tenant}", new.person, quotas.person),
    )
    for whose, person, quota in pairs:
        if quota.most_bytes is not None or quota.most_files is not None:
            check_room(whose, used_of(connection, tenant, person), quota, new)


def _insert_item(connection: Connection, new: NewData, upload: NewUpload) -> int:
    values = {
        "tenant": new.tenant,
        "name": new.name,
        "memo": new.memo,
        "state": DataState.UPLOADING.value,
        "origin": new.origin.value,
        "files": 0,
        "bytes": 0,
        "version": 0,
        "created_by": upload.person,
        "created_at": upload.at,
        "changed_at": upload.at,
    }
    done = connection.execute(insert(ITEMS), values)
    [data_id] = cast("tuple[int]", done.inserted_primary_key)
    for table, rows in (
        (TAGS, list(_tag_rows(data_id, new))),
        (PARENTS, [{"data_id": data_id, "parent": one} for one in new.parents]),
    ):
        if rows:
            connection.execute(insert(table), rows)
    return data_id


def _tag_rows(data_id: int, new: NewData) -> Iterator[dict[str, object]]:
    for tag in new.tags:
        yield {"data_id": data_id, "tag": tag, "tenant": new.tenant}


def _insert_upload(
    connection: Connection, data_id: int, tenant: str, new: NewUpload
) -> Upload:
    values = {
        "key": new.key,
        "data_id": data_id,
        "tenant": tenant,
        "person": new.person,
        "state": UploadState.OPEN.value,
        "files": new.files,
        "bytes": new.bytes,
        "began_at": new.at,
        "changed_at": new.at,
        "expires_at": new.expires_at,
        "is_kept": True,
    }
    connection.execute(insert(UPLOADS), values)
    return _known(connection, new.key)
