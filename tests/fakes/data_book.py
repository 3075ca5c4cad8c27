"""What the database keeps of data, in memory."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from kqi_hub.domain.data import (
    DataItem,
    DataState,
    StoredFile,
    StoreUse,
    Upload,
    UploadState,
)
from kqi_hub.domain.data_errors import Blocked
from kqi_hub.domain.data_item_ports import (
    Comparison,
    Entry,
    KnownTag,
    PersonUse,
    Removal,
)
from kqi_hub.domain.data_list import DataFilter
from kqi_hub.domain.data_quota import Used, check_room
from kqi_hub.domain.dataset_ports import Blocker
from kqi_hub.domain.errors import Conflict, Incomplete, InvalidInput, NotFound
from kqi_hub.domain.upload_ports import NewData, NewUpload, Quotas

ENDED = {UploadState.DONE, UploadState.DROPPED}


@dataclass
class FakeDataBook:
    """A DataStore and an UploadStore in one, and Blockers that tests fill."""

    items: dict[int, DataItem] = field(default_factory=dict)
    kept_uploads: dict[str, Upload] = field(default_factory=dict)
    rows: dict[int, dict[str, tuple[int, StoredFile]]] = field(default_factory=dict)
    taken: dict[int, dict[str, float]] = field(default_factory=dict)
    blocked: dict[int, tuple[Blocker, ...]] = field(default_factory=dict)
    not_cleared: set[str] = field(default_factory=set)
    changed: dict[str, float] = field(default_factory=dict)
    results: dict[str, Comparison] = field(default_factory=dict)
    last_id: int = 0

    # Blockers

    def of_data(
        self, data_ids: Collection[int], most_each: int = 20
    ) -> Mapping[int, tuple[Blocker, ...]]:
        return {one: self.blocked[one] for one in data_ids if one in self.blocked}

    def of_dataset(self, dataset_id: int, most: int = 20) -> tuple[Blocker, ...]:
        return ()

    # DataStore

    def search(self, wanted: DataFilter) -> tuple[DataItem, ...]:
        found = self._found(wanted)
        found.sort(key=lambda one: one.id)
        found.sort(
            key=lambda one: getattr(one, wanted.sort.value),
            reverse=wanted.is_descending,
        )
        return tuple(found[wanted.offset : wanted.offset + wanted.limit])

    def count(self, wanted: DataFilter) -> int:
        return len(self._found(wanted))

    def one(self, data_id: int) -> DataItem | None:
        return self.items.get(data_id)

    def many(self, data_ids: Collection[int]) -> tuple[DataItem, ...]:
        return tuple(self.items[one] for one in sorted(data_ids) if one in self.items)

    def change(
        self, data_id: int, name: str, memo: str, seen_at: float, now: float
    ) -> DataItem:
        found = self._ready(data_id)
        if found.changed_at > seen_at:
            raise Conflict("These data were changed meanwhile.")
        return self._keep(
            replace(found, name=name, memo=memo, changed_at=_later(found, now))
        )

    def retag(
        self, data_id: int, add: Sequence[str], remove: Sequence[str], now: float
    ) -> DataItem:
        found = self._ready(data_id)
        tags = tuple(sorted((set(found.tags) | set(add)) - set(remove)))
        return self._keep(replace(found, tags=tags))

    def known_tags(self, tenant: str) -> tuple[KnownTag, ...]:
        counts: dict[str, int] = {}
        for item in self._of(tenant):
            for tag in item.tags:
                counts[tag] = counts.get(tag, 0) + 1
        return tuple(KnownTag(name, counts[name]) for name in sorted(counts))

    def files(
        self, data_id: int, after: str = "", limit: int = 1000
    ) -> tuple[StoredFile, ...]:
        shown = self._shown(data_id)
        paths = sorted((path for path in shown if path > after), key=_bytes)
        return tuple(shown[path] for path in paths[:limit])

    def file(self, data_id: int, path: str) -> StoredFile | None:
        return self._shown(data_id).get(path)

    def level(
        self, data_id: int, folder: str = "", after: str = "", limit: int = 1000
    ) -> tuple[Entry, ...]:
        inside = f"{folder}/" if folder else ""
        found: dict[str, Entry] = {}
        for path, one in self._shown(data_id).items():
            if path.startswith(inside):
                name, is_deeper, _ = path.removeprefix(inside).partition("/")
                entry = Entry(name, is_folder=False, size=one.size, sha256=one.sha256)
                found[name] = Entry(name, is_folder=True) if is_deeper else entry

        def place(name: str) -> bytes:
            return _bytes(f"{name}/" if found[name].is_folder else name)

        names = sorted(found, key=place)
        first = names.index(after) + 1 if after else 0
        return tuple(found[name] for name in names[first : first + limit])

    def children(self, data_id: int, limit: int = 100) -> tuple[DataItem, ...]:
        made = [
            one
            for one in self.items.values()
            if data_id in one.parents and one.state is DataState.READY
        ]
        return tuple(sorted(made, key=lambda one: -one.id)[:limit])

    def use(self, tenant: str, person: str | None = None) -> StoreUse:
        mine = [one for one in self._of(tenant) if person in {None, one.created_by}]
        sending = [
            one
            for one in self.kept_uploads.values()
            if one.tenant == tenant
            and person in {None, one.person}
            and one.state not in ENDED
        ]
        return StoreUse(
            sum(one.files for one in mine),
            sum(one.bytes for one in mine),
            sum(one.bytes for one in sending),
        )

    def use_by_person(self, tenant: str) -> tuple[PersonUse, ...]:
        names = {one.created_by for one in self._of(tenant)}
        names |= {one.person for one in self.kept_uploads.values()}
        uses = [PersonUse(name, self.use(tenant, name)) for name in names]
        return tuple(sorted(uses, key=lambda one: (-one.use.bytes, one.person)))

    def begin_removal(self, data_id: int, now: float) -> DataItem:
        found = self._known(data_id)
        if found.state is DataState.REMOVING:
            return found
        self._refuse_blocked(data_id)
        for one in self.into(data_id):
            if one.state is UploadState.PUBLISHING:
                raise Conflict("Files are being published into these data.")
            self._end(replace(one, state=UploadState.DROPPED), now)
        return self._keep(replace(found, state=DataState.REMOVING, tags=()))

    def removing(self, limit: int = 100) -> tuple[DataItem, ...]:
        every = self.items.values()
        return tuple(o for o in every if o.state is DataState.REMOVING)[:limit]

    def forget(self, data_id: int) -> None:
        found = self.items.get(data_id)
        if found is not None and found.state is DataState.REMOVING:
            for table in (self.items, self.rows, self.taken):
                table.pop(data_id, None)

    def take_files(self, data_id: int, paths: Sequence[str], now: float) -> DataItem:
        found = self._ready(data_id)
        self._refuse_blocked(data_id)
        self._refuse_busy(data_id)
        shown = self._shown(data_id)
        for path in paths:
            if path not in shown:
                raise NotFound("The data have no file {path}.", path=path)
        for path in paths:
            del self.rows[data_id][path]
        self.taken[data_id] = dict.fromkeys(paths, now)
        left = self._shown(data_id)
        return self._keep(
            replace(
                found,
                files=len(left),
                bytes=_size(left),
                version=found.version + 1,
                changed_at=now,
            )
        )

    def removals(self, before: float, limit: int = 5000) -> tuple[Removal, ...]:
        return tuple(
            Removal(data_id, self.items[data_id].tenant, tuple(paths))
            for data_id, paths in self.taken.items()
            if paths and max(paths.values()) < before
        )

    def files_gone(self, data_id: int, paths: Sequence[str]) -> None:
        for path in paths:
            self.taken.get(data_id, {}).pop(path, None)

    def tenants(self) -> tuple[str, ...]:
        names = {one.tenant for one in self.items.values()}
        return tuple(sorted(names | {o.tenant for o in self.kept_uploads.values()}))

    def ids(self, tenant: str) -> tuple[int, ...]:
        return tuple(o.id for o in self.items.values() if o.tenant == tenant)

    def compared(self, result: Comparison) -> None:
        self.results[result.tenant] = result

    def comparisons(self) -> tuple[Comparison, ...]:
        return tuple(self.results[name] for name in sorted(self.results))

    # UploadStore

    def begin(
        self, new: NewData, upload: NewUpload, quotas: Quotas
    ) -> tuple[DataItem, Upload]:
        for parent in new.parents:
            found = self.items.get(parent)
            is_there = found is not None and found.state is DataState.READY
            if found is None or not is_there or found.tenant != new.tenant:
                raise InvalidInput("parents: there are no data {id}.", id=parent)
        self._refuse_over(new.tenant, upload, quotas)
        self.last_id += 1
        item = DataItem(
            id=self.last_id,
            tenant=new.tenant,
            name=new.name,
            memo=new.memo,
            tags=new.tags,
            state=DataState.UPLOADING,
            origin=new.origin,
            files=0,
            bytes=0,
            version=0,
            created_by=upload.person,
            created_at=upload.at,
            changed_at=upload.at,
            parents=new.parents,
        )
        return self._keep(item), self._keep_upload(item, upload)

    def begin_more(self, data_id: int, upload: NewUpload, quotas: Quotas) -> Upload:
        item = self._ready(data_id)
        self._refuse_blocked(data_id)
        self._refuse_over(item.tenant, upload, quotas)
        return self._keep_upload(item, upload)

    def upload(self, key: str) -> Upload | None:
        return self.kept_uploads.get(key)

    def of_person(self, person: str, tenant: str | None = None) -> tuple[Upload, ...]:
        return tuple(
            one
            for one in reversed(self.kept_uploads.values())
            if one.person == person
            and tenant in {None, one.tenant}
            and one.state is not UploadState.DONE
        )

    def into(self, data_id: int) -> tuple[Upload, ...]:
        every = self.kept_uploads.values()
        return tuple(o for o in every if o.data_id == data_id and o.state not in ENDED)

    def extend(self, key: str, expires_at: float) -> Upload:
        found = self._known_upload(key)
        if found.state is not UploadState.OPEN:
            return found
        later = max(found.expires_at, expires_at)
        return self._put(replace(found, expires_at=later))

    def publishing(self, key: str, now: float) -> Upload:
        found = self._known_upload(key)
        if found.state is UploadState.DROPPED:
            raise Conflict("This upload was dropped, or its time was over.")
        if found.state is not UploadState.OPEN:
            return found
        item = self.items.get(found.data_id)
        if item is None or item.state is DataState.REMOVING:
            raise Conflict("The data of this upload were deleted.")
        self._refuse_blocked(found.data_id)
        self._refuse_busy(found.data_id)
        self.changed[key] = now
        return self._put(replace(found, state=UploadState.PUBLISHING))

    def add_files(self, key: str, files: Sequence[StoredFile], now: float) -> bool:
        found = self._known_upload(key)
        if found.state is not UploadState.PUBLISHING:
            return False
        self.changed[key] = now
        version = self.items[found.data_id].version + 1
        rows = self.rows.setdefault(found.data_id, {})
        for one in files:
            rows.setdefault(one.path, (version, one))
        return True

    def published(self, key: str, now: float) -> DataItem | None:
        found = self._known_upload(key)
        item = self.items.get(found.data_id)
        if found.state is not UploadState.PUBLISHING or item is None:
            return item
        version = item.version + 1
        new = [one for v, one in self.rows.get(item.id, {}).values() if v == version]
        if (len(new), _size(new)) != (found.files, found.bytes):
            raise Incomplete("Files of this upload are missing.")
        self._end(replace(found, state=UploadState.DONE), now)
        return self._keep(
            replace(
                item,
                state=DataState.READY,
                files=item.files + found.files,
                bytes=item.bytes + found.bytes,
                version=version,
                changed_at=now,
            )
        )

    def reopen(self, key: str, now: float) -> Upload:
        found = self._known_upload(key)
        if found.state is not UploadState.PUBLISHING:
            return found
        version = self.items[found.data_id].version
        rows = self.rows.get(found.data_id, {})
        shown = {path: row for path, row in rows.items() if row[0] <= version}
        self.rows[found.data_id] = shown
        return self._put(replace(found, state=UploadState.OPEN))

    def drop(self, key: str, now: float) -> Upload:
        found = self._known_upload(key)
        if found.state in ENDED:
            return found
        if found.state is UploadState.PUBLISHING:
            raise Conflict("This upload is being published.", "Wait a moment.")
        item = self.items.get(found.data_id)
        if item is not None and item.state is DataState.UPLOADING:
            del self.items[item.id]
        return self._end(replace(found, state=UploadState.DROPPED), now)

    def expired(self, now: float, limit: int = 100) -> tuple[Upload, ...]:
        return tuple(
            one
            for one in self.kept_uploads.values()
            if one.state is UploadState.OPEN and one.expires_at <= now
        )[:limit]

    def interrupted(self, before: float, limit: int = 100) -> tuple[Upload, ...]:
        return tuple(
            one
            for one in self.kept_uploads.values()
            if one.state is UploadState.PUBLISHING and self.changed[one.key] < before
        )[:limit]

    def left_over(self, before: float, limit: int = 100) -> tuple[Upload, ...]:
        return tuple(
            self.kept_uploads[key]
            for key in sorted(self.not_cleared)
            if self.changed[key] < before
        )[:limit]

    def cleared(self, key: str) -> None:
        self.not_cleared.discard(key)

    def keys(self, tenant: str) -> tuple[str, ...]:
        return tuple(
            one.key
            for one in self.kept_uploads.values()
            if one.tenant == tenant
            and (one.state not in ENDED or one.key in self.not_cleared)
        )

    def forget_ended(self, before: float) -> int:
        old = [
            one.key
            for one in self.kept_uploads.values()
            if one.state in ENDED
            and one.key not in self.not_cleared
            and self.changed[one.key] < before
        ]
        for key in old:
            del self.kept_uploads[key]
        return len(old)

    # Inside

    def _found(self, wanted: DataFilter) -> list[DataItem]:
        return [
            one
            for one in self.items.values()
            if one.state is DataState.READY
            and (wanted.tenants is None or one.tenant in wanted.tenants)
            and wanted.id.fits(one.id)
            and wanted.name.fits(one.name)
            and wanted.memo.fits(one.memo)
            and wanted.created_at.fits(one.created_at)
            and wanted.created_by.fits(one.created_by)
            and wanted.tags.fits(one.tags)
        ]

    def _of(self, tenant: str) -> list[DataItem]:
        every = self.items.values()
        return [o for o in every if o.tenant == tenant and o.state is DataState.READY]

    def _shown(self, data_id: int) -> dict[str, StoredFile]:
        version = self.items[data_id].version
        rows = self.rows.get(data_id, {})
        return {path: one for path, (since, one) in rows.items() if since <= version}

    def _known(self, data_id: int) -> DataItem:
        if data_id not in self.items:
            raise NotFound("There are no such data.")
        return self.items[data_id]

    def _ready(self, data_id: int) -> DataItem:
        found = self._known(data_id)
        if found.state is not DataState.READY:
            raise NotFound("There are no such data.")
        return found

    def _known_upload(self, key: str) -> Upload:
        if key not in self.kept_uploads:
            raise NotFound("There is no such upload.")
        return self.kept_uploads[key]

    def _refuse_blocked(self, data_id: int) -> None:
        if data_id in self.blocked:
            raise Blocked("The data are in use.", "", self.blocked[data_id])

    def _refuse_busy(self, data_id: int) -> None:
        sending = [one.state for one in self.into(data_id)]
        if UploadState.PUBLISHING in sending or self.taken.get(data_id):
            raise Conflict("Files of these data are being changed.", "Wait a moment.")

    def _refuse_over(self, tenant: str, new: NewUpload, quotas: Quotas) -> None:
        for whose, person, quota in (
            (tenant, None, quotas.tenant),
            (new.person, new.person, quotas.person),
        ):
            use = self.use(tenant, person)
            coming = sum(
                one.files
                for one in self.kept_uploads.values()
                if one.tenant == tenant
                and person in {None, one.person}
                and one.state not in ENDED
            )
            used = Used(use.files + coming, use.bytes + use.uploading_bytes)
            check_room(whose, used, quota, new)

    def _keep(self, item: DataItem) -> DataItem:
        self.items[item.id] = item
        return item

    def _keep_upload(self, item: DataItem, new: NewUpload) -> Upload:
        return self._put(
            Upload(
                key=new.key,
                data_id=item.id,
                tenant=item.tenant,
                person=new.person,
                state=UploadState.OPEN,
                files=new.files,
                bytes=new.bytes,
                began_at=new.at,
                expires_at=new.expires_at,
            )
        )

    def _put(self, upload: Upload) -> Upload:
        self.kept_uploads[upload.key] = upload
        return upload

    def _end(self, upload: Upload, now: float) -> Upload:
        self.not_cleared.add(upload.key)
        self.changed[upload.key] = now
        return self._put(upload)


def _bytes(path: str) -> bytes:
    return path.encode("utf-8", "surrogatepass")


def _later(item: DataItem, now: float) -> float:
    return max(now, item.changed_at + 1e-6)


def _size(files: Iterable[StoredFile] | Mapping[str, StoredFile]) -> int:
    every = files.values() if isinstance(files, Mapping) else files
    return sum(one.size for one in every)
