"""MLflow's store of runs on SQLite, filled alike and asked alike; runs in its own venv.

`python lists_peer.py FILE COUNT TIMES` prints the milliseconds of each answer as JSON.
"""

import json
import random
import sqlite3
import sys
import time
from pathlib import Path

# The project's own environment has no MLflow: this runs in the peer's.
from mlflow.entities import ViewType  # type: ignore[import-not-found]
from mlflow.store.tracking.sqlalchemy_store import (  # type: ignore[import-not-found]
    SqlAlchemyStore,
)

PAGE = 100
WORDS = ("bert", "clip", "llama", "moco", "resnet", "unet", "vit", "whisper")
# By the names that the other side has for them.
QUESTIONS = {
    "first page": ("", ["attributes.start_time DESC"]),
    "by name": ("", ["attributes.run_name ASC"]),
    "a word of names": ("attributes.run_name ILIKE '%llama%'", []),
    "a word no name has": ("attributes.run_name ILIKE '%nothing%'", []),
    "a word of memos": ("tags.`mlflow.note.content` ILIKE '%seed 99%'", []),
    "two tags": ("tags.`tag-1` = 'yes' AND tags.`tag-2` = 'yes'", []),
}


def main() -> None:
    """Make the database, ask everything."""
    path, count, times = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    store = SqlAlchemyStore(f"sqlite:///{path}", str(path.parent / "artifacts"))
    fill(path, count)
    told = {name: asked(store, *one, times) for name, one in QUESTIONS.items()}
    # It takes half a minute for 10,000 runs: once is enough.
    told["by value"] = asked(store, "", ["metrics.value DESC"], 1)
    print(json.dumps(told))


def asked(
    store: SqlAlchemyStore, condition: str, order: list[str], times: int
) -> list[float]:
    """Return how long each of some answers took, in milliseconds."""
    taken: list[float] = []
    for _ in range(times + 1):
        start = time.perf_counter()
        store.search_runs(["0"], condition, ViewType.ACTIVE_ONLY, PAGE, order, None)
        taken.append((time.perf_counter() - start) * 1000)
    return taken[1:]


def fill(path: Path, count: int) -> None:
    """Store runs as their client would, but in one transaction."""
    dice = random.Random(7)  # noqa: S311 - the same runs each time, no secret
    with sqlite3.connect(path) as database:
        for at in range(count):
            key = f"{at:032x}"
            name = f"{dice.choice(WORDS)}-{dice.choice(WORDS)}-{at}"
            began = 1_795_000_000_000 + at * 1000
            database.execute(
                "INSERT INTO runs (run_uuid, name, source_type, source_name, "
                "entry_point_name, user_id, status, start_time, end_time, "
                "source_version, lifecycle_stage, artifact_uri, experiment_id) "
                "VALUES (?, ?, 'LOCAL', '', '', ?, ?, ?, ?, '', 'active', '', 0)",
                (key, name, f"user{at % 40:02}", "FINISHED", began, began + 3_600_000),
            )
            note = (
                f"What happens with seed {dice.randrange(1000)}, and more of the same"
            )
            tags = {f"tag-{dice.randrange(40)}": "yes" for _ in range(3)}
            tags |= {"mlflow.runName": name, "mlflow.note.content": note}
            database.executemany(
                "INSERT INTO tags (key, value, run_uuid) VALUES (?, ?, ?)",
                [(tag, value, key) for tag, value in tags.items()],
            )
            database.execute(
                "INSERT INTO latest_metrics (key, value, timestamp, step, is_nan, "
                "run_uuid) VALUES ('value', ?, ?, 0, 0, ?)",
                (at * 7919 % 1000, began, key),
            )


if __name__ == "__main__":
    main()
