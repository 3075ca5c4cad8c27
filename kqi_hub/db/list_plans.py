"""How PostgreSQL is to read lists; SQLite needs no word about it."""

from typing import Final

from sqlalchemy import Connection

_SETTINGS: Final = {
    # What lists read lies in indexes, which stay in memory: a page of them costs no
    # more than the next one of the table.
    "random_page_cost": "1.1",
    # To begin further processes takes longer than all the rest of a list.
    "max_parallel_workers_per_gather": "0",
    # What was found is sorted in memory: 100,000 numbers and names are 8 MB.
    "work_mem": "16MB",
    # A word that each second run has wants another plan than one that none has.
    "plan_cache_mode": "force_custom_plan",
}
_SET: Final = "SELECT " + ", ".join(
    f"set_config('{name}', '{value}', true)" for name, value in _SETTINGS.items()
)


def plan_for_lists(connection: Connection) -> None:
    """Have the rest of this transaction planned for lists."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_SET)
