"""The stored picture of the cluster: written by the worker, read by everybody else."""

import threading
from collections.abc import Collection, Mapping
from typing import Final, cast

from sqlalchemy import ColumnElement, Connection, Engine, Table, or_, select, update

from kqi_hub.db.engine import reading as reading_transaction, writing
from kqi_hub.db.job_rows import (
    JobRows,
    exit_codes_of,
    jobs_of_ids,
    jobs_of_names,
    live_ids,
    live_jobs,
    newest_jobs,
)
from kqi_hub.db.named_rows import NODES, PARTITIONS
from kqi_hub.db.snapshot_changes import Stored, compare, lost_ids
from kqi_hub.db.tables import SnapshotRow
from kqi_hub.db.upsert import insert_missing
from kqi_hub.domain.cluster import Freshness, Node, Partition, Reading
from kqi_hub.domain.job import EndedJob, Job

SNAPSHOT: Final = cast(Table, SnapshotRow.__table__)
# A day's ended jobs may be a hundred thousand: nobody waits while they are deleted.
PURGE_BITE: Final = 500
_EMPTY: Final = {
    "sequence": 0,
    "taken_at": None,
    "tried_at": None,
    "error": "",
    "refresh_requested_at": None,
}


class SqlSnapshotStore:
    """A SnapshotStore in the database; any thread may call it, off the event loop.

    The process that saves remembers what it saved and writes only what changed. The
    stored sequence tells it when somebody else has written meanwhile, or when it has
    only just started: then it reads the picture back first.
    """

    def __init__(
        self, engine: Engine, cluster: str, keep_ended_s: float = 24 * 3600
    ) -> None:
        self._engine = engine
        self._cluster = cluster
        self._keep_ended_s = keep_ended_s
        self._saving = threading.Lock()
        self._stored: Stored | None = None

    def save(self, reading: Reading, ended: Mapping[int, EndedJob]) -> int:
        """Replace the picture in one transaction and return its sequence number."""
        with self._saving:
            # Whatever fails from here on, the next save looks at the database again.
            known, self._stored = self._stored, None
            with writing(self._engine) as connection:
                stored = self._verified(connection, known, reading)
                after = self._write(connection, stored, reading, ended)
            self._stored = after
            return after.sequence

    def mark_failed(self, error: str, tried_at: float) -> None:
        """Keep the old picture and say why it grows old."""
        self._update_row({"error": error, "tried_at": tried_at})

    def freshness(self) -> Freshness:
        """Return how old the picture is; one row by its key."""
        columns = SNAPSHOT.c
        query = select(
            columns.sequence, columns.taken_at, columns.tried_at, columns.error
        ).where(columns.cluster == self._cluster)
        with reading_transaction(self._engine) as connection:
            row = connection.execute(query).one_or_none()
        return Freshness(0, None, None) if row is None else Freshness(*row)

    def nodes(self) -> tuple[Node, ...]:
        """Return every node of the picture."""
        with reading_transaction(self._engine) as connection:
            return NODES.load(connection, self._cluster)

    def partitions(self) -> tuple[Partition, ...]:
        """Return every queue of the picture."""
        with reading_transaction(self._engine) as connection:
            return PARTITIONS.load(connection, self._cluster)

    def live_jobs(self, user: str | None = None) -> tuple[Job, ...]:
        """Return the jobs that have not ended, of one person or of all."""
        with reading_transaction(self._engine) as connection:
            return tuple(live_jobs(connection, self._cluster, user))

    def jobs(
        self, user: str | None = None, limit: int = 100, after: int | None = None
    ) -> tuple[Job, ...]:
        """Return jobs newest first, ended ones included, below the id `after`."""
        with reading_transaction(self._engine) as connection:
            return tuple(newest_jobs(connection, self._cluster, user, limit, after))

    def known_jobs(
        self, job_ids: Collection[int], names: Collection[str] = ()
    ) -> tuple[Job, ...]:
        """Return the jobs of these ids or names, live or ended, that it has."""
        if not job_ids and not names:
            return ()
        with reading_transaction(self._engine) as connection:
            found = {
                job.job_id: job
                for job in (
                    *jobs_of_ids(connection, self._cluster, job_ids),
                    *jobs_of_names(connection, self._cluster, names),
                )
            }
        return tuple(found.values())

    def exit_codes(self, job_ids: Collection[int]) -> Mapping[int, int]:
        """Return the exit codes of ended jobs, where accounting has told them."""
        with reading_transaction(self._engine) as connection:
            return dict(exit_codes_of(connection, self._cluster, job_ids))

    def request_refresh(self, asked_at: float) -> None:
        """Ask the worker for a fresh look; the newest request stands for all."""
        asked = SNAPSHOT.c.refresh_requested_at
        newer = or_(asked.is_(None), asked < asked_at)
        self._update_row({"refresh_requested_at": asked_at}, newer)

    def refresh_requested_at(self) -> float | None:
        """Return when the newest request was made that no look has answered."""
        columns = SNAPSHOT.c
        query = select(columns.refresh_requested_at).where(
            columns.cluster == self._cluster,
            or_(
                columns.taken_at.is_(None),
                columns.refresh_requested_at > columns.taken_at,
            ),
        )
        with reading_transaction(self._engine) as connection:
            return connection.scalar(query)

    def lost_jobs(self, seen: Reading) -> tuple[int, ...]:
        """Return ids of live jobs of the picture that the reading lacks."""
        with self._saving, reading_transaction(self._engine) as connection:
            known = self._stored
            if known is None or known.sequence != self._sequence(connection):
                return lost_ids(live_ids(connection, self._cluster), seen)
            return lost_ids((i for i, j in known.jobs.items() if not j.is_over), seen)

    def _verified(
        self, connection: Connection, known: Stored | None, reading: Reading
    ) -> Stored:
        """Return what is stored, from memory when nobody else has written."""
        self._ensure_row(connection)
        sequence = self._sequence(connection, lock=True)
        if known is not None and known.sequence == sequence:
            return known
        live = {job.job_id: job for job in live_jobs(connection, self._cluster, None)}
        listed = {job.job_id for job in reading.jobs} - live.keys()
        over = jobs_of_ids(connection, self._cluster, listed)
        return Stored(
            sequence=sequence,
            nodes=NODES.load(connection, self._cluster),
            partitions=PARTITIONS.load(connection, self._cluster),
            jobs=live | {job.job_id: job for job in over},
            gone=frozenset(live_ids(connection, self._cluster, gone=True)),
        )

    def _write(
        self,
        connection: Connection,
        stored: Stored,
        reading: Reading,
        ended: Mapping[int, EndedJob],
    ) -> Stored:
        keep_after = reading.taken_at - self._keep_ended_s
        changes = compare(stored, reading, ended, keep_after)
        after = changes.after
        rows = JobRows(connection, self._cluster, after.sequence, reading.taken_at)
        rows.write(changes.jobs)
        rows.mark_gone(changes.gone)
        rows.write_ended(changes.ended)
        purged = rows.purge(keep_after, PURGE_BITE)
        NODES.save(connection, self._cluster, stored.nodes, reading.nodes)
        PARTITIONS.save(
            connection, self._cluster, stored.partitions, reading.partitions
        )
        connection.execute(
            update(SNAPSHOT)
            .where(SNAPSHOT.c.cluster == self._cluster)
            .values(
                sequence=after.sequence,
                taken_at=reading.taken_at,
                tried_at=reading.taken_at,
                error="",
            )
        )
        return after.without(purged)

    def _sequence(self, connection: Connection, lock: bool = False) -> int:
        query = select(SNAPSHOT.c.sequence).where(SNAPSHOT.c.cluster == self._cluster)
        # SQLite has no row locks and needs none: only one transaction writes.
        found: int | None = connection.scalar(
            query.with_for_update() if lock else query
        )
        return found or 0

    def _ensure_row(self, connection: Connection) -> None:
        row = {"cluster": self._cluster, **_EMPTY}
        connection.execute(insert_missing(connection, SNAPSHOT), [row])

    def _update_row(
        self, values: Mapping[str, object], *only_if: ColumnElement[bool]
    ) -> None:
        statement = update(SNAPSHOT).where(
            SNAPSHOT.c.cluster == self._cluster, *only_if
        )
        with writing(self._engine) as connection:
            self._ensure_row(connection)
            connection.execute(statement.values(**values))
