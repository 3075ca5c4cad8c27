"""Live sessions in the portal's database, for jobs that run; runs as the portal.

    python -m benchmarks.our_sessions PERSON TENANT PORT JOB ...

Prints each notebook's number with the session's.
"""

import json
import sys
import time

from kqi_hub.bootstrap.database import open_database
from kqi_hub.db.notebook_sessions import SqlSessionStore
from kqi_hub.db.notebooks import SqlNotebookStore
from kqi_hub.domain.notebooks import Choices, Phase
from kqi_hub.settings.loader import load_settings


def main(person: str, tenant: str, port: str, *jobs: str) -> None:
    engine = open_database(load_settings())
    notebooks, sessions = SqlNotebookStore(engine), SqlSessionStore(engine)
    made = {}
    for number, job in enumerate(jobs):
        now = time.time()
        choices = Choices(name=f"live-{number}", tenant=tenant, queue="cpu")
        notebook = notebooks.create(person, choices, now)
        session = sessions.ask(notebook.id, choices, f"bench{number:021}", now)
        sessions.submitted(session.id, int(job), now)
        sessions.placed(session.id, "cpu01", int(port), now)
        for phase in (Phase.NODE, Phase.ENVIRONMENT, Phase.SERVER, Phase.READY):
            sessions.reached(session.id, phase, now)
        made[notebook.id] = session.id
    print(json.dumps(made))


if __name__ == "__main__":
    main(*sys.argv[1:])
