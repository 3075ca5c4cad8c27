"""Write a new migration: `python -m kqi_hub.db.migrations "keep budgets"`.

It holds what the tables of the code have and the migrations so far do not make. Read
it, correct it (Alembic does not see renames, triggers or data), and run the tests.
"""

import sys
import tempfile

from kqi_hub.db import schema
from kqi_hub.db.engine import make_engine


def main() -> None:
    """Write the file and print its path."""
    message = " ".join(sys.argv[1:]).strip()
    if not message:
        sys.exit('Say what it does: python -m kqi_hub.db.migrations "keep budgets"')
    with tempfile.TemporaryDirectory() as folder:
        engine = make_engine(f"sqlite:///{folder}/kqi.sqlite", create=True)
        schema.upgrade(engine)
        path = schema.write_migration(engine, message)
        engine.dispose()
    sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
