"""Ask the store over its socket: one connection for each question."""

import asyncio
import json
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NoReturn

from kqi_hub.domain.data import Placed, StoredFile
from kqi_hub.domain.data_ports import (
    Kept,
    Published,
    Received,
    Stray,
    Sweep,
    Told,
    Tree,
)
from kqi_hub.domain.errors import (
    Conflict,
    Incomplete,
    InvalidInput,
    NotFound,
    StoreError,
    StoreFull,
    StoreUnavailable,
)
from kqi_hub.i18n import N_

_LONGEST_ANSWER: Final = 64 * 1024 * 1024
_CONNECT_S: Final = 10.0
# A flush of a slow disk says nothing meanwhile.
_SILENT_S: Final = 900.0
_BIG: Final = 256 * 1024
_CONFLICTS: Final = frozenset({"conflict", "path-taken", "upload-over"})
_ASK_DOCTOR: Final = N_("Try again in a moment; `kqi-hub doctor` says what is wrong.")


class SocketStore:
    """The Store port over the store's Unix socket."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def received(
        self, tenant: str, uploads: Collection[str]
    ) -> Mapping[str, Received]:
        """Return how far uploads are; one that nothing came for is left out."""
        said = await self._ask("received", tenant=tenant, uploads=list(uploads))
        return {key: Received(**one) for key, one in said.items()}

    async def publish(
        self,
        tenant: str,
        upload: str,
        data_id: int,
        announced: Published,
        told: Told | None = None,
    ) -> Published:
        """Put an upload's files into a data item, all of them or none."""
        said = await self._ask(
            "publish",
            told,
            tenant=tenant,
            upload=upload,
            data=data_id,
            files=announced.files,
            bytes=announced.bytes,
        )
        return Published(**said)

    async def uploaded(
        self, tenant: str, upload: str, after: str = "", limit: int = 5000
    ) -> tuple[StoredFile, ...]:
        """Return an upload's whole files in the order of their paths, a page."""
        said = await self._ask(
            "uploaded", tenant=tenant, upload=upload, after=after, limit=limit
        )
        return tuple(StoredFile(*one) for one in said)

    async def drop(self, tenant: str, upload: str) -> None:
        """Forget an upload and what came for it; published files stay."""
        await self._ask("drop", tenant=tenant, upload=upload)

    async def remove(self, tenant: str, data_id: int) -> None:
        """Remove a data item; the space is free a little later."""
        await self._ask("remove", tenant=tenant, data=data_id)

    async def remove_files(
        self, tenant: str, data_id: int, paths: Sequence[str]
    ) -> None:
        """Remove files of a data item; one that is not there is no error."""
        await self._ask("remove_files", tenant=tenant, data=data_id, paths=list(paths))

    async def tree(
        self,
        tenant: str,
        key: str,
        placed: Sequence[Placed],
        meta: Mapping[str, Any],
        told: Told | None = None,
    ) -> Tree:
        """Return a dataset's folder, built if this key has none yet."""
        entries = [[one.type, one.data_id] for one in placed]
        said = await self._ask(
            "tree", told, tenant=tenant, key=key, entries=entries, meta=dict(meta)
        )
        return Tree(**said)

    async def find_tree(self, tenant: str, key: str) -> Tree | None:
        """Return a dataset's folder if it has been built."""
        said = await self._ask("find_tree", tenant=tenant, key=key)
        return None if said is None else Tree(**said)

    async def drop_tree(self, tenant: str, key: str) -> None:
        """Remove a dataset's folder; no job may use it any more."""
        await self._ask("drop_tree", tenant=tenant, key=key)

    async def kept(self, tenant: str) -> Kept:
        """Count what a tenant has on the disk; may take seconds."""
        return Kept(**await self._ask("usage", tenant=tenant))

    async def sweep(
        self,
        tenant: str,
        uploads: Collection[str],
        data: Collection[int],
        trees: Collection[str],
        remove: bool = False,
    ) -> Sweep:
        """Tell what the store has beside these, and of these has not."""
        said = await self._ask(
            "sweep",
            tenant=tenant,
            uploads=list(uploads),
            data=list(data),
            trees=list(trees),
            remove=remove,
        )
        strays = tuple(Stray(**one) for one in said["strays"])
        return Sweep(strays, tuple(said["missing_data"]))

    async def health(self) -> Mapping[str, Any]:
        """Return what the store says of itself."""
        said: Mapping[str, Any] = await self._ask("health")
        return said

    async def _ask(self, verb: str, told: Told | None = None, **fields: Any) -> Any:
        line = await asyncio.to_thread(_line, {"verb": verb, **fields})
        try:
            async with asyncio.timeout(_CONNECT_S):
                reader, writer = await asyncio.open_unix_connection(
                    self._path, limit=_LONGEST_ANSWER
                )
        except OSError as error:
            raise self._unavailable(error.strerror or "it is silent") from error
        try:
            return await self._answer(reader, writer, line, told)
        except (OSError, ValueError) as error:
            raise self._unavailable("it was cut off") from error
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _answer(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        line: bytes,
        told: Told | None,
    ) -> Any:
        writer.write(line)
        await writer.drain()
        while True:
            async with asyncio.timeout(_SILENT_S):
                raw = await reader.readline()
            said = await _read(raw)
            if "progress" in said:
                if told is not None:
                    told(said["progress"]["done"], said["progress"]["of"])
                continue
            if "ok" in said:
                return said["ok"]
            _refuse(said)

    def _unavailable(self, why: str) -> StoreUnavailable:
        return StoreUnavailable(
            "The data store behind {socket} does not answer: {reason}.",
            _ASK_DOCTOR,
            socket=self._path,
            reason=why,
        )


def _line(fields: Mapping[str, Any]) -> bytes:
    return json.dumps(fields).encode() + b"\n"


async def _read(raw: bytes) -> dict[str, Any]:
    """Read an answer, a long one off the loop; ValueError if it is none."""
    if not raw.endswith(b"\n"):
        raise ValueError("no whole line")
    said = (
        await asyncio.to_thread(json.loads, raw) if len(raw) > _BIG else json.loads(raw)
    )
    if not isinstance(said, dict):
        raise ValueError("no object")  # noqa: TRY004  it is the data that is wrong
    return said


def _refuse(said: Mapping[str, Any]) -> NoReturn:
    """Raise the store's refusal as the error that the port promises."""
    code = str(said.get("error"))
    words = {name: str(said.get(name, "")) for name in ("message", "hint")}
    told = {"said": words["message"], "advice": words["hint"]}
    match code:
        case "incomplete":
            raise _incomplete(said)
        case "disk-full":
            raise StoreFull(
                "The disk of the data store is full; what came before is kept.",
                "Ask the operators for room, then go on: nothing is sent twice.",
            )
        case "not-found":
            raise NotFound("{said}", "{advice}", **told)
        case "invalid-input":
            raise InvalidInput("{said}", "{advice}", **told)
        case "busy":
            # Something else works on the same: what is asked for may yet happen.
            raise StoreUnavailable("{said}", "{advice}", **told)
        case _ if code in _CONFLICTS:
            raise Conflict("{said}", "{advice}", **told)
        case _:
            raise StoreError("The data store: {said}", "{advice}", **told)


def _incomplete(said: Mapping[str, Any]) -> Incomplete:
    names = ("files", "bytes", "announced_files", "announced_bytes")
    return Incomplete(
        "Come whole: files {files} of {announced_files}, bytes {bytes} of "
        "{announced_bytes}.",
        "Send the rest, then finish the upload again.",
        cut=tuple(map(str, said.get("cut", ()))),
        **{name: said.get(name, 0) for name in names},
    )
