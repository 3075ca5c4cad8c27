"""Send files to the store: small ones in packs, several connections, going on again.

Memory stays flat: the files are walked, never listed, and at most a few pieces are held
by each connection. Whatever interrupts it, the store is asked what it has and the rest
is sent.
"""

import contextlib
import hashlib
import queue
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from kqi_hub.sdk.fold import Fold
from kqi_hub.sdk.local_files import LocalFile
from kqi_hub.sdk.long_file import ChangedMeanwhile, LongFile, opened
from kqi_hub.sdk.patience import Patience, Stopped
from kqi_hub.sdk.store_wire import Interrupted, StoreWire
from kqi_hub.sdk.upload_progress import Meter, Tell

CONNECTIONS: Final = 4
PATIENCE_S: Final = 600.0
SMALL_BYTES: Final = 512 * 1024
_PACK_BYTES: Final = 4 * 1024 * 1024
_PACK_FILES: Final = 500
_ASK_AT_ONCE: Final = 5000
_LOOK_EVERY_S: Final = 0.1
_END_S: Final = 2.0

_Loaded = list[tuple[LocalFile, bytes]]


@dataclass(frozen=True, slots=True)
class _Job:
    """A pack of small files; or one file of which the store has `offset` bytes."""

    files: tuple[LocalFile, ...]
    offset: int | None = None


class Uploader:
    """Send one upload's files; `tell` is called from the caller's own thread."""

    def __init__(
        self,
        wire: StoreWire,
        meter: Meter,
        tell: Tell | None = None,
        *,
        connections: int = CONNECTIONS,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._wire, self._meter, self._tell = wire, meter, tell
        self._connections = max(1, connections)
        self._queue: queue.Queue[_Job | None] = queue.Queue(self._connections)
        self._stop = threading.Event()
        self._patience = Patience(meter, self._stop, patience_s)
        self._fault: BaseException | None = None
        # What was sent, to be compared with what is kept.
        self.fold = Fold()

    def send(self, files: Iterable[LocalFile], *, is_new: bool) -> None:
        """Send all that the store has not; `is_new`: it has nothing, so is not asked.

        NotReachable when it is silent for longer than `patience_s`, StoreRefused when
        it says no, ChangedMeanwhile when a file here is not what it was.
        """
        threads = [
            threading.Thread(target=self._work, daemon=True)
            for _ in range(self._connections)
        ]
        for thread in threads:
            thread.start()
        try:
            self._hand_out(files, is_new)
            while any(thread.is_alive() for thread in threads):
                self._look()
                self._stop.wait(_LOOK_EVERY_S)
            self._look()
        finally:
            self._stop.set()
            until = time.monotonic() + _END_S
            for thread in threads:
                thread.join(max(0.0, until - time.monotonic()))

    def _hand_out(self, files: Iterable[LocalFile], is_new: bool) -> None:
        remaining = iter(files)
        while batch := list(islice(remaining, _ASK_AT_ONCE)):
            offsets = dict.fromkeys(batch, 0) if is_new else self._missing(batch)
            for job in _jobs(offsets.items()):
                self._put(job)
        for _ in range(self._connections):
            self._put(None)

    def _put(self, job: _Job | None) -> None:
        while True:
            self._look()
            with contextlib.suppress(queue.Full):
                self._queue.put(job, timeout=_LOOK_EVERY_S)
                return

    def _look(self) -> None:
        """Tell how far it is; raise what a thread has met."""
        if self._fault is not None:
            raise self._fault
        if self._tell is not None:
            self._tell(self._meter.now())

    def _missing(self, batch: Sequence[LocalFile]) -> dict[LocalFile, int]:
        """Return what the store has not whole, with the bytes that are safe."""
        known = self._known(batch)
        missing = {}
        for one in batch:
            offset, is_done = known.get(one.path, (0, False))
            if is_done:
                self._meter.had(1, one.size)
            else:
                self._meter.had(0, offset)
                missing[one] = offset
        return missing

    def _known(self, batch: Sequence[LocalFile]) -> dict[str, tuple[int, bool]]:
        return self._patience.until_answered(lambda: self._wire.known(batch))

    def _work(self) -> None:
        try:
            while (job := self._next()) is not None:
                self._do(job)
        except Stopped:
            return
        except Exception as error:  # noqa: BLE001 - raised again in the caller's thread
            self._fault = self._fault or error
            self._stop.set()

    def _next(self) -> _Job | None:
        while True:
            self._patience.check()
            with contextlib.suppress(queue.Empty):
                return self._queue.get(timeout=_LOOK_EVERY_S)

    def _do(self, job: _Job) -> None:
        if job.offset is None:
            self._send_pack([(one, _content(one)) for one in job.files])
        else:
            [one] = job.files
            long_file = LongFile(self._wire, self._meter, self._patience, one)
            self.fold.add(one.path, long_file.send(job.offset))

    def _send_pack(self, loaded: _Loaded) -> None:
        attempt = 0
        while loaded:
            taken = -1
            try:
                taken = self._wire.send_pack(loaded)
            except Interrupted as why:
                self._patience.pause(attempt, why)
            attempt += 1
            if taken == len(loaded):
                self._count(loaded)
                return
            loaded = self._left(loaded)

    def _left(self, loaded: _Loaded) -> _Loaded:
        """Return what the store has not whole of what was sent."""
        known = self._known([one for one, _ in loaded])
        done = {path for path, (_, is_done) in known.items() if is_done}
        self._count([each for each in loaded if each[0].path in done])
        return [each for each in loaded if each[0].path not in done]

    def _count(self, loaded: _Loaded) -> None:
        self._meter.sent(sum(one.size for one, _ in loaded))
        self._meter.kept(len(loaded))
        for one, content in loaded:
            self.fold.add(one.path, hashlib.sha256(content).hexdigest())


def _jobs(files: Iterable[tuple[LocalFile, int]]) -> Iterator[_Job]:
    """Yield packs of small files; those that are long or begun go alone."""
    pack: list[LocalFile] = []
    size = 0
    for one, offset in files:
        if offset or one.size > SMALL_BYTES:
            yield _Job((one,), offset)
            continue
        pack.append(one)
        size += one.size
        if len(pack) >= _PACK_FILES or size >= _PACK_BYTES:
            yield _Job(tuple(pack))
            pack, size = [], 0
    if pack:
        yield _Job(tuple(pack))


def _content(one: LocalFile) -> bytes:
    with opened(one) as file:
        content = file.read(one.size + 1)
    if len(content) != one.size:
        raise ChangedMeanwhile(one, "its size is another one")
    return content
