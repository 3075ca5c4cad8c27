"""Cards of rates in the database: added, taken back in time, never changed."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import lru_cache
from typing import Any, Final, cast

from sqlalchemy import Connection, Engine, Row, Table, func, select, update

from kqi_hub.db.accounting_tables import (
    JobRecordRow,
    NodeShapeRow,
    PeriodRow,
    RateCardRow,
)
from kqi_hub.db.engine import reading, writing
from kqi_hub.db.upsert import insert_missing
from kqi_hub.domain.errors import Conflict, NotFound
from kqi_hub.domain.node_shapes import NodeShape, NodeShapes
from kqi_hub.domain.rate_cards import RateCard
from kqi_hub.domain.rate_documents import read_document
from kqi_hub.domain.rate_ports import NewCard, Published, Standing
from kqi_hub.domain.site_days import Period, SiteDays

_CARDS: Final = cast(Table, RateCardRow.__table__)
_SHAPES: Final = cast(Table, NodeShapeRow.__table__)
_CLOSED: Final = cast(Table, PeriodRow.__table__)
_RECORDS: Final = cast(Table, JobRecordRow.__table__)


def cards_in(connection: Connection, cluster: str) -> tuple[RateCard, ...]:
    """Return the cards that count, as a transaction sees them."""
    return tuple(one.card for one in _all(connection, cluster) if not one.is_withdrawn)


class SqlRateCards:
    """A RateStore (domain/rate_ports.py); any thread may call it, off the event loop.

    `lock` is called first in a transaction that publishes: it keeps a month from being
    closed meanwhile.
    """

    def __init__(
        self,
        engine: Engine,
        cluster: str,
        days: SiteDays,
        lock: Callable[[Connection], None],
    ) -> None:
        self._engine = engine
        self._cluster = cluster
        self._days = days
        self._lock = lock

    def standing(self) -> Standing:
        """Return what changes with every change, cheaply."""
        with reading(self._engine) as connection:
            return self._standing(connection)

    def cards(self) -> tuple[Published, ...]:
        """Return all, withdrawn ones too, the newest version first."""
        with reading(self._engine) as connection:
            return _all(connection, self._cluster)

    def shapes(self) -> NodeShapes:
        """Return what nodes have and had."""
        columns = _SHAPES.c
        query = select(
            columns.node,
            columns.from_at,
            columns.cpus,
            columns.memory_mb,
            columns.gpus,
        ).where(columns.cluster == self._cluster)
        with reading(self._engine) as connection:
            return NodeShapes(NodeShape(*row) for row in connection.execute(query))

    def publish(self, new: NewCard, known: Standing, now: float) -> int:
        """Keep a card and return its version; Conflict as the port says."""
        with writing(self._engine) as connection:
            self._lock(connection)
            found = self._standing(connection)
            if found[:2] != known[:2]:
                raise _changed()
            self._check_open(connection, new.from_at)
            version = found.newest + 1
            is_posted = new.from_at > now or not self._is_used(connection, new.from_at)
            row = {
                "cluster": self._cluster,
                "version": version,
                **asdict(new),
                "published_at": now,
                # Use to come is posted under it from the beginning; without any since
                # then there is nothing to be posted again, were it half a million runs
                # by the time that somebody looks.
                "posted_at": now if is_posted else None,
                "withdrawn_at": None,
            }
            # Without the lock another process may take the number at the same moment.
            add = insert_missing(connection, _CARDS).returning(_CARDS.c.version)
            if connection.execute(add, row).one_or_none() is None:
                raise _changed()
        return version

    def withdraw(self, version: int, now: float) -> None:
        """Take back a card that has not begun; NotFound or Conflict otherwise."""
        columns = _CARDS.c
        its = (columns.cluster == self._cluster, columns.version == version)
        with writing(self._engine) as connection:
            self._lock(connection)
            query = select(columns.from_at, columns.withdrawn_at).where(*its)
            row = connection.execute(query).one_or_none()
            if row is None:
                raise NotFound("There is no card of rates {version}.", version=version)
            if row.withdrawn_at is not None:
                raise Conflict("Card {version} is withdrawn already.", version=version)
            if row.from_at <= now:
                raise Conflict(
                    "Card {version} counts already: use has been charged by it.",
                    "Publish another one in its place.",
                    version=version,
                )
            connection.execute(update(_CARDS).where(*its).values(withdrawn_at=now))

    def mark_posted(self, versions: Sequence[int], now: float) -> None:
        """Write down that the book has counted them."""
        columns = _CARDS.c
        its = (columns.cluster == self._cluster, columns.version.in_(versions))
        with writing(self._engine) as connection:
            connection.execute(update(_CARDS).where(*its).values(posted_at=now))

    def last_closed(self) -> Period | None:
        """Return the newest month that is closed."""
        with reading(self._engine) as connection:
            return self._last_closed(connection)

    def _standing(self, connection: Connection) -> Standing:
        columns = _CARDS.c
        query = select(
            func.coalesce(func.max(columns.version), 0),
            func.count(columns.withdrawn_at),
        ).where(columns.cluster == self._cluster)
        shapes = select(func.count()).where(_SHAPES.c.cluster == self._cluster)
        newest, withdrawn = connection.execute(query).one()
        return Standing(newest, withdrawn, connection.execute(shapes).scalar_one())

    def _check_open(self, connection: Connection, from_at: int) -> None:
        closed = self._last_closed(connection)
        if closed is not None and from_at < self._days.month_ends(closed):
            raise Conflict(
                "The rates would count from a time that is closed: month {month} is.",
                "Let them begin in an open month; what is owed for closed ones is "
                "corrected by credits.",
                month=f"{closed // 100}-{closed % 100:02d}",
            )

    def _is_used(self, connection: Connection, since: int) -> bool:
        """Tell whether a run is known that has ended after a moment."""
        query = select(_RECORDS.c.id).where(
            _RECORDS.c.cluster == self._cluster, _RECORDS.c.ended_at > since
        )
        return connection.execute(query.limit(1)).first() is not None

    def _last_closed(self, connection: Connection) -> Period | None:
        query = select(func.max(_CLOSED.c.period))
        found = connection.execute(query.where(_CLOSED.c.cluster == self._cluster))
        return cast("Period | None", found.scalar_one())


def _changed() -> Conflict:
    return Conflict(
        "The rates were changed meanwhile; nothing has been published.",
        "Look at the effect again.",
    )


def _all(connection: Connection, cluster: str) -> tuple[Published, ...]:
    columns = _CARDS.c
    query = select(_CARDS).where(columns.cluster == cluster)
    rows = connection.execute(query.order_by(columns.version.desc()))
    return tuple(map(_published, rows))


def _published(row: Row[Any]) -> Published:
    return Published(
        card=_card(row.document, row.version, row.from_at),
        document=row.document,
        author=row.author,
        note=row.note,
        published_at=row.published_at,
        posted_at=row.posted_at,
        withdrawn_at=row.withdrawn_at,
    )


@lru_cache(maxsize=256)
def _card(document: str, version: int, from_at: int) -> RateCard:
    # Its beginning is a column: a document's date would move with the site's zone.
    card = read_document(document, "UTC").card
    return replace(card, version=version, from_at=from_at)
