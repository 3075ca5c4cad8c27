"""Data items in the portal's database, to be preprocessed; runs as the portal.

    python -m benchmarks.submit_data PERSON TENANT HOW_MANY

Prints their numbers. There are no files behind them: no job that reads them starts.
"""

import json
import sys
import time

from sqlalchemy import insert

from kqi_hub.bootstrap.database import open_database
from kqi_hub.db.data_rows import ITEMS
from kqi_hub.db.engine import writing
from kqi_hub.domain.data import DataState, Origin
from kqi_hub.settings.loader import load_settings


def main(person: str, tenant: str, many: str) -> None:
    """Store them in one transaction."""
    now = time.time()
    about = {
        "tenant": tenant,
        "memo": "",
        "state": DataState.READY.value,
        "origin": Origin.UPLOAD.value,
        "files": 1,
        "bytes": 1000,
        "version": 1,
        "created_by": person,
        "created_at": now,
        "changed_at": now,
    }
    rows = [{"name": f"item {number}", **about} for number in range(int(many))]
    statement = insert(ITEMS).returning(ITEMS.c.number, sort_by_parameter_order=True)
    with writing(open_database(load_settings())) as connection:
        print(json.dumps(list(connection.scalars(statement, rows))))


if __name__ == "__main__":
    main(*sys.argv[1:])
