"""Data items, as answers and as calls of the client."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self
from urllib.parse import quote, urlencode

from kqi_hub.sdk.calls import Calls
from kqi_hub.sdk.errors import Refused
from kqi_hub.sdk.models import Answer, known

_A_PAGE: Final = 1000
_FILES_A_PAGE: Final = 5000
_AT_ONCE: Final = 1000


@dataclass(frozen=True, slots=True)
class DataItem(Answer):
    """A named bundle of files; times are seconds since 1970."""

    id: int
    tenant: str
    name: str
    memo: str = ""
    tags: tuple[str, ...] = ()
    origin: str = ""
    files: int = 0
    bytes: int = 0
    version: int = 0
    parents: tuple[int, ...] = ()
    created_by: str = ""
    created_at: float = 0.0
    changed_at: float = 0.0
    page: str = ""

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Self:
        """Make it from JSON."""
        deeper = {"tags": tuple(said["tags"]), "parents": tuple(said["parents"])}
        return cls(**{**known(cls, said), **deeper})


@dataclass(frozen=True, slots=True)
class Blocker(Answer):
    """One thing that keeps another from being changed or deleted."""

    kind: str
    id: str
    why: str
    name: str = ""
    page: str = ""


@dataclass(frozen=True, slots=True)
class DataDetails(DataItem):
    """A data item with what is around it; relatives and uploads as the portal says."""

    made_from: tuple[Mapping[str, Any], ...] = ()
    made_to: tuple[Mapping[str, Any], ...] = ()
    blockers: tuple[Blocker, ...] = ()
    uploads: tuple[str, ...] = ()
    may_change: bool = False

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Self:
        """Make it from JSON."""
        lists = ("tags", "parents", "made_from", "made_to", "uploads")
        deeper: dict[str, Any] = {name: tuple(said[name]) for name in lists}
        deeper["blockers"] = tuple(Blocker.read(one) for one in said["blockers"])
        return cls(**{**known(cls, said), **deeper})


@dataclass(frozen=True, slots=True)
class DataFile(Answer):
    """One file of a data item."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Outcome(Answer):
    """What came of one of many."""

    id: int
    done: bool
    code: str = ""
    detail: str = ""


class DataCalls(Calls):
    """The part of `Client` for data."""

    def data(self, most: int | None = None, **wanted: object) -> Iterator[DataItem]:
        """Yield data of one's tenants, filtered as the REST interface does.

        Filters: tenant, id, name, memo, created_at, created_by, tag, sort.
        """
        for said in pages(self, "data", "data", most, wanted):
            yield DataItem.read(said)

    def data_item(self, data_id: int) -> DataDetails:
        """Return one, with what it was made from and what needs it."""
        return DataDetails.read(self._api("GET", f"data/{data_id}"))

    def change_data(
        self, data_id: int, name: str | None = None, memo: str | None = None
    ) -> DataDetails:
        """Change name or memo."""
        asked = {"name": name, "memo": memo}
        given = {key: text for key, text in asked.items() if text is not None}
        return DataDetails.read(self._api("PATCH", f"data/{data_id}", given))

    def delete_data(self, data_id: int) -> None:
        """Delete one that nothing needs, with its files."""
        self._api("DELETE", f"data/{data_id}")

    def change_many_data(
        self, data_ids: Sequence[int], action: str, tag: str = ""
    ) -> tuple[Outcome, ...]:
        """Do `tag`, `untag` or `delete` to many; each succeeds or fails for itself."""
        found: list[Outcome] = []
        for start in range(0, len(data_ids), _AT_ONCE):
            some = list(data_ids[start : start + _AT_ONCE])
            asked = {"ids": some, "action": action, "tag": tag}
            said = self._api("POST", "data/bulk", asked)["outcomes"]
            found += (Outcome.read(one) for one in said)
        return tuple(found)

    def data_files(self, data_id: int, after: str = "") -> Iterator[DataFile]:
        """Yield all files by their paths, with their hashes."""
        for said in chain(self, f"data/{data_id}/files", "files", after):
            yield DataFile.read(said)

    def remove_data_files(self, data_id: int, paths: Sequence[str]) -> None:
        """Take files off one that nothing needs as it is."""
        for start in range(0, len(paths), _AT_ONCE):
            some = list(paths[start : start + _AT_ONCE])
            self._api("POST", f"data/{data_id}/files/remove", {"paths": some})

    def tag_data(self, data_id: int, tag: str) -> None:
        """Tag one; a tag that it has is no error."""
        self._api("PUT", f"data/{data_id}/tags/{quote(tag, safe='')}")

    def untag_data(self, data_id: int, tag: str) -> None:
        """Take a tag off; one that it has not is no error."""
        self._api("DELETE", f"data/{data_id}/tags/{quote(tag, safe='')}")

    def data_tags(self, tenant: str) -> dict[str, int]:
        """Return the tags in use in a tenant, with how many data have each."""
        said = self._api("GET", f"data/tags?{urlencode({'tenant': tenant})}")
        return {one["name"]: one["data"] for one in said["tags"]}

    def data_blockers(self, data_id: int) -> tuple[Blocker, ...]:
        """Return what keeps one from being changed or deleted."""
        said = self._api("GET", f"data/{data_id}/blockers")
        return tuple(Blocker.read(one) for one in said["blockers"])

    def storage(self, tenant: str, with_disk: bool = False) -> Mapping[str, Any]:
        """Return what a tenant and its people keep, beside their quotas."""
        asked = urlencode({"tenant": tenant, "with_disk": str(with_disk).lower()})
        found: Mapping[str, Any] = self._api("GET", f"storage?{asked}")
        return found

    def lineage(self, kind: str, thing_id: str, depth: int = 2) -> Mapping[str, Any]:
        """Return what a thing was made from and what from it: nodes and edges."""
        path = f"lineage/{quote(kind, safe='')}/{quote(thing_id, safe='')}"
        found: Mapping[str, Any] = self._api("GET", f"{path}?depth={depth}")
        return found


def pages(
    calls: Calls, path: str, name: str, most: int | None, wanted: Mapping[str, object]
) -> Iterator[Mapping[str, Any]]:
    """Yield the lines of a list, page after page.

    Refused where a condition cannot be read: that is another thing than nothing found.
    """
    given = {key: value for key, value in wanted.items() if value not in {None, ""}}
    per_page = _A_PAGE if most is None else min(most, _A_PAGE)
    page, left = 1, most
    while left is None or left > 0:
        asked = urlencode({**given, "page": page, "per_page": per_page})
        answer = calls._api("GET", f"{path}?{asked}")
        _check_read(answer.get("unread") or {})
        said = answer[name]
        yield from said if left is None else said[:left]
        if len(said) < per_page:
            return
        left = None if left is None else left - len(said)
        page += 1


def _check_read(unread: Mapping[str, str]) -> None:
    for field, text in unread.items():
        raise Refused(
            400,
            "invalid-input",
            f"{field}: {text!r} cannot be read.",
            "Write numbers as 7, >=7 or <100, and days as 2026-11-21 or >=2026-11.",
        )


def chain(
    calls: Calls, path: str, name: str, after: str = "", **wanted: object
) -> Iterator[Mapping[str, Any]]:
    """Yield the lines of a list whose pages each name the next."""
    given = {key: value for key, value in wanted.items() if value is not None}
    limit = _FILES_A_PAGE if name == "files" else _A_PAGE
    token: str | None = after
    while token is not None:
        asked = urlencode({**given, "after": token, "limit": limit})
        said = calls._api("GET", f"{path}?{asked}")
        yield from said[name]
        token = said["next"]
