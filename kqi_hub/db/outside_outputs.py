"""What is uploaded for runs that were done elsewhere, in the database."""

from collections.abc import Sequence
from typing import Final, cast

from sqlalchemy import Connection, Engine, Table, delete, func, insert, select, update

from kqi_hub.db.engine import reading, writing
from kqi_hub.db.outside_tables import OutsideOutputRow
from kqi_hub.db.run_rows import held_run
from kqi_hub.domain.outside_runs import (
    MOST_OUTPUTS,
    OutsideOutput,
    not_opened,
    too_many_outputs,
)
from kqi_hub.domain.runs import RunState

OUTSIDE: Final = cast(Table, OutsideOutputRow.__table__)
_O: Final = OUTSIDE.c


class SqlOutsideOutputs:
    """OutsideOutputs (domain/outside_runs.py); any thread may call it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def of_run(self, run_id: int) -> Sequence[OutsideOutput]:
        """Return those of a run, by name."""
        query = select(OUTSIDE).where(_O.run == run_id)
        with reading(self._engine) as connection:
            rows = connection.execute(query)
            found = [OutsideOutput(row.name, row.upload, row.data) for row in rows]
        # The order of Python: that of a database depends on its language.
        return sorted(found, key=lambda one: one.name)

    def reserve(
        self, run_id: int, name: str, upload: str, in_place_of: str = ""
    ) -> OutsideOutput:
        """Keep the key of an upload before it begins, or return what is kept."""
        with writing(self._engine) as connection:
            # Whoever completes or deletes the run waits, or has done so.
            if held_run(connection, run_id).state is not RunState.OPENED:
                raise not_opened()
            known = _one(connection, run_id, name)
            if known is not None and known.upload != in_place_of:
                return known
            if known is None:
                _refuse_too_many(connection, run_id)
                row = {"run": run_id, "name": name, "upload": upload, "data": None}
                connection.execute(insert(OUTSIDE), row)
            else:
                other = update(OUTSIDE).where(_O.run == run_id, _O.name == name)
                connection.execute(other.values(upload=upload, data=None))
            return OutsideOutput(name, upload)

    def begun(self, run_id: int, upload: str, data_id: int) -> None:
        """Note the item that an upload fills; twice is fine."""
        mine = update(OUTSIDE).where(_O.run == run_id, _O.upload == upload)
        with writing(self._engine) as connection:
            connection.execute(mine.values(data=data_id))

    def forget(self, run_id: int) -> None:
        """Forget the folders of a run: its results are all there, or given up."""
        with writing(self._engine) as connection:
            connection.execute(delete(OUTSIDE).where(_O.run == run_id))


def _one(connection: Connection, run_id: int, name: str) -> OutsideOutput | None:
    query = select(OUTSIDE).where(_O.run == run_id, _O.name == name)
    row = connection.execute(query).first()
    return None if row is None else OutsideOutput(row.name, row.upload, row.data)


def _refuse_too_many(connection: Connection, run_id: int) -> None:
    count = select(func.count()).select_from(OUTSIDE).where(_O.run == run_id)
    if (connection.scalar(count) or 0) >= MOST_OUTPUTS:
        raise too_many_outputs()
