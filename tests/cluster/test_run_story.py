"""From files to a result that can be told: what a tenant does with KQI Hub, in one go.

Twenty items of data are brought, preprocessed by one array, put into a dataset and
trained with by a commit of a real repository, with NumPy and TensorBoard; somebody
watches that in a browser and has a shell in it; an inference tests what was learned;
the lineage leads from its value back to the files.
"""

import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.cluster.browser import chromium
from tests.cluster.run_lab import Now, runs_of
from tests.cluster.stack import Stack, wait_until
from tests.cluster.test_preprocessings import Preprocessing
from tests.cluster.walker import RUN_MS, START_MS, Walker, walker
from tests.fakes.git_lab import git

ITEMS, LEARNED_FROM = 20, 16
# What the items hold, and the training is to find again: y = 3 x + 2.
SLOPE, OFFSET = 3.0, 2.0
SCALE = """\
python - <<'END'
import os, pathlib
number = os.environ["DATA_ID"]
rows = pathlib.Path(os.environ["KQI_INPUT"], number, "in.txt").read_text().split()
new = pathlib.Path(os.environ["KQI_OUTPUT"], f"scaled-{number}")
new.mkdir()
pairs = [tuple(map(float, row.split(";"))) for row in rows]
(new / "pairs.csv").write_text("".join(f"{x / 10},{y}\\n" for x, y in pairs))
END
"""
PAIRS = """\
import os, pathlib
import numpy as np

def pairs(kind):
    found = sorted(pathlib.Path(os.environ["KQI_INPUT"], kind).glob("*/pairs.csv"))
    print(f"{len(found)} items for {kind}", flush=True)
    return np.concatenate([np.loadtxt(one, delimiter=",", ndmin=2) for one in found])
"""
TRAIN = """\
import os, pathlib, time
import numpy as np
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter
from pairs import pairs

out = pathlib.Path(os.environ["KQI_OUTPUT"])
writer = EventFileWriter(str(out / "logs"))
x, y = pairs("training").T
a, b = 0.0, 0.0
for step in range(400):
    error = a * x + b - y
    a, b = a - 0.3 * (error * x).mean(), b - 0.3 * error.mean()
    loss = float((error**2).mean())
    scalar = Summary(value=[Summary.Value(tag="loss", simple_value=loss)])
    writer.add_event(Event(step=step, wall_time=time.time(), summary=scalar))
    if step % 100 == 0:
        print(f"step {step}: loss {loss:.6f}", flush=True)
writer.flush()
np.savez(out / "model.npz", a=a, b=b)
print("learned; waiting for somebody to look", flush=True)
while not (out / "seen").exists():
    time.sleep(0.5)
(out / "value.txt").write_text(f"{loss:.6f}")
"""
EVALUATE = """\
import os, pathlib
import numpy as np
from pairs import pairs

model = np.load(pathlib.Path(os.environ["KQI_HOME"], "parent", "model.npz"))
x, y = pairs("testing").T
error = float(np.abs(model["a"] * x + model["b"] - y).max())
pathlib.Path(os.environ["KQI_OUTPUT"], "value.txt").write_text(f"{error:.6f}")
"""
PROGRAMS = {"pairs.py": PAIRS, "train.py": TRAIN, "evaluate.py": EVALUATE}


@pytest.fixture
def alice(stack: Stack) -> Iterator[Preprocessing]:
    with runs_of(stack) as made:
        base = f"http://127.0.0.1:{stack.ports['proxy']}/services/store/"
        yield Preprocessing(made, base)


@pytest.fixture
def seen(stack: Stack) -> Iterator[Walker]:
    with chromium() as browser, walker(stack, browser, "alice") as one:
        yield one


@contextmanager
def repository(folder: Path, programs: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Serve programs from a real repository; give the address and the commit."""
    work = folder / "work"
    work.mkdir()
    git(work, "init", "--quiet", "--initial-branch=main")
    for name, text in programs.items():
        (work / name).write_text(text)
    git(work, "add", ".")
    git(work, "commit", "--quiet", "--message=learn")
    git(folder, "clone", "--quiet", "--bare", str(work), str(folder / "model.git"))
    # What Git needs to clone from a server that knows nothing of Git.
    git(folder / "model.git", "update-server-info")
    handler = partial(QuietHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            url = f"http://127.0.0.1:{server.server_port}/model.git"
            yield url, git(work, "rev-parse", "HEAD")
        finally:
            server.shutdown()
            thread.join()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def item(number: int) -> bytes:
    """Return some pairs, ten times too large, as another program has written them."""
    xs = [(number + part / 4) for part in range(4)]
    return "".join(f"{x};{SLOPE * x / 10 + OFFSET}\n" for x in xs).encode()


def test_from_files_to_a_value_whose_origin_can_be_told(
    alice: Preprocessing, seen: Walker, tmp_path: Path
) -> None:
    raw = [alice.data(item(number), f"item {number}") for number in range(ITEMS)]
    scaled = preprocessed(alice, raw)
    parts = {"training": scaled[:LEARNED_FROM], "testing": scaled[LEARNED_FROM:]}
    name = f"story-{secrets.token_hex(4)}"
    dataset = alice.call("POST", "datasets", tenant="vision", name=name, entries=parts)[
        "id"
    ]
    with repository(tmp_path, PROGRAMS) as (url, commit):
        chosen = {"dataset": dataset, "source": {"url": url, "commit": commit}}
        training = alice.runs.ask("python train.py", **chosen)
        watch(seen, training)
        ended = alice.runs.ended(training)
        assert ended["state"] == "completed", alice.runs.told(training)
        assert f"{LEARNED_FROM} items for training" in alice.runs.log(training)
        assert float(ended["value"]) < 1e-3
        parent = {"kind": "training", "id": training["id"]}
        inference = alice.runs.ask(
            "python evaluate.py", kind="inference", parents=[parent], **chosen
        )
        tested = alice.runs.ended(inference)
    assert tested["state"] == "completed", alice.runs.told(inference)
    assert float(tested["value"]) < 0.05
    told = alice.call("GET", f"lineage/inference/{inference['id']}?depth=8")
    things = {(one["kind"], one["id"]) for one in told["nodes"]}
    assert ("training", str(training["id"])) in things
    assert ("dataset", str(dataset)) in things
    assert {("data", str(one)) for one in (*scaled, *raw)} <= things
    assert any(kind == "commit" and commit in thing for kind, thing in things), things
    refused = alice.runs.client.delete(f"data/{scaled[0]}")
    assert refused.status_code == 409, refused.text


def preprocessed(alice: Preprocessing, raw: list[int]) -> list[int]:
    """Return the new data that one array has made of the old, in its order."""
    number = alice.defined(SCALE)
    made = alice.run(number, raw)
    runs = alice.ended(number)
    assert {one["state"] for one in runs.values()} == {"completed"}, [
        one["detail"] for one in runs.values()
    ]
    assert len({one["slurm_id"].partition("_")[0] for one in runs.values()}) == 1
    products = [alice.products(run) for run in made["runs"]]
    assert {len(one) for one in products} == {1}
    return [one["id"] for [one] in products]


def watch(alice: Walker, training: Now) -> None:
    """Look into a training that waits to be seen, then tell it so from its shell."""
    page = alice.page
    page.goto(f"{alice.portal}/training/{training['id']}?tenant=vision")
    log = page.locator("[data-part=log-box] > .log code")
    expect(log).to_contain_text("waiting for somebody to look", timeout=RUN_MS)
    use = page.locator("[data-run-use]")
    expect(use).to_contain_text("CPUs busy", timeout=RUN_MS)
    expect(use.locator("svg").first).to_be_visible()
    alice.shot("story-use")
    board = page.locator("[data-run-tensorboard]")
    board.get_by_role("button", name="Start TensorBoard").click()
    expect(board).to_contain_text("It runs.", timeout=RUN_MS)
    tab = alice.new_tab(board.get_by_role("link", name="Open TensorBoard"))
    expect(tab).to_have_title("TensorBoard", timeout=START_MS)
    wait_until(lambda: "loss" in scalars(tab), RUN_MS / 1000, lambda: scalars(tab))
    tab.reload()
    expect(tab.get_by_text("loss").first).to_be_visible(timeout=START_MS)
    alice.shot("story-tensorboard", tab)
    tab.close()
    board.get_by_role("button", name="Stop TensorBoard").click()
    page.get_by_role("button", name="Open a terminal").click()
    rows = page.locator(".xterm-rows")
    expect(rows).to_contain_text("$", timeout=START_MS)
    page.keyboard.type("touch /kqi/output/seen; echo told-$((6*7))\n")
    expect(rows).to_contain_text("told-42", timeout=START_MS)
    heard = page.locator("[data-part=heard]")
    expect(heard).to_contain_text("Completed", timeout=RUN_MS)
    # Measured in the job, and kept with the run.
    page.reload()
    expect(page.locator("[data-part=now]")).to_contain_text("of 1 CPU")


def scalars(board: Page) -> str:
    """Return what TensorBoard has to draw, as its own page asks for it."""
    return str(
        board.evaluate(
            "async () => (await fetch('data/plugin/scalars/tags')).text()",
        )
    )
