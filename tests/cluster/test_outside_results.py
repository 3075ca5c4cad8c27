"""Results of a preprocessing that was run elsewhere, by `kqi`, every process real."""

import os
import random
import time
from pathlib import Path

from tests.cluster.test_data_commands import (
    KILLED,
    MIB,
    Person,
    alice,
    images,
    listed,
    sums,
)

__all__ = ["alice", "images"]


def test_results_from_elsewhere_go_on_after_a_kill_and_are_data_with_an_origin(
    alice: Person,
    images: Path,
) -> None:
    item = alice.json("data", "create", "-n", "raw", "-f", "images/", "-t", "raw")["id"]
    number = alice.json("preprocessing", "create", "--name", "elsewhere")["id"]
    results = alice.folder / "results"
    results.mkdir()
    images.rename(results / "left")
    (results / "right").mkdir()
    (results / "right/longer").write_bytes(os.urandom(200 * MIB))
    place = (str(number), "-did", str(item), "-s", "results/", "-t", "checked")
    words = ("preprocessing", "build-history", *place)
    sending = alice.begin(*words)
    assert sending.stderr is not None
    while not sending.stderr.readline().startswith("right"):
        pass
    time.sleep(random.uniform(0.1, 0.6))  # noqa: S311
    sending.kill()
    sending.communicate()
    assert sending.returncode == KILLED
    assert [one["state"] for one in histories(alice, number)] == ["opened"]
    done = alice.json(*words)
    assert done["state"] == "completed"
    left, right = done["data"]
    assert listed(alice, left) == sums(results / "left")
    assert listed(alice, right) == sums(results / "right")
    for made, name in ((left, "left"), (right, "right")):
        found = alice.json("data", "get", str(made))
        assert (found["name"], found["parents"]) == (name, [item])
        assert set(found["tags"]) == {"raw", "checked", "elsewhere"}
    assert [one["state"] for one in histories(alice, number)] == ["completed"]
    # Once on each item; nothing of the upload that was killed is left over.
    alice.kqi(*words, code=5)
    alice.kqi("data", "delete", str(item), "--yes", code=5)
    assert alice.json("data", "uploads") == []
    gone = ("delete-history", str(number), "-d", str(item), "--yes")
    alice.kqi("preprocessing", *gone)
    alice.kqi("data", "get", str(right), code=4)
    alice.kqi("data", "delete", str(item), "--yes")


def histories(alice: Person, number: int) -> list[dict[str, object]]:
    found: list[dict[str, object]] = alice.json(
        "preprocessing", "list-histories", str(number)
    )
    return found
