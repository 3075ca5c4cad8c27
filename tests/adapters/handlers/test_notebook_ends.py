"""How a session ended is told in words: page, history, REST and `kqi`."""

import asyncio
import re
import time
from dataclasses import replace

import pytest

from kqi_hub.cli.notebook_words import told
from kqi_hub.domain.notebook_ports import SessionEnd
from kqi_hub.domain.notebooks import Cause, Phase
from kqi_hub.sdk.notebooks import Notebook, NotebookSession
from kqi_hub.services.board import GLANCE_S
from tests.adapters.handlers.conftest import Client
from tests.fakes.notebooks import CHOICES
from tests.fakes.queues import job, reading
from tests.fakes.site import FakeSite

BEGAN = 1_795_000_000.0


def end(site: FakeSite, detail: str) -> str:
    """Let a notebook of mia's end with this word of Slurm's; return its path."""
    store, sessions = site.notebooks.store, site.notebooks.sessions
    made = store.create("mia", CHOICES, BEGAN)
    asked = sessions.ask(made.id, CHOICES, "key", BEGAN)
    sessions.submitted(asked.id, 7, BEGAN + 1)
    sessions.reached(asked.id, Phase.NODE, BEGAN + 2)
    sessions.ended(asked.id, SessionEnd(BEGAN + 60, Cause.FAILED, detail))
    return f"notebooks/{made.id}"


def texts_of(page: str) -> str:
    return " ".join(re.sub("<[^>]*>", " ", page).split())


async def test_slurms_word_is_put_into_words_and_kept(
    ask: Client, site: FakeSite
) -> None:
    path = end(site, "NonZeroExitCode")
    shown = texts_of((await ask(path, "mia")).text)
    said = "Its program ended with an error (NonZeroExitCode)"
    assert shown.count(said) == 2  # what ended last, and the history
    session = (await ask(f"api/v1/{path}", "mia")).json["session"]
    assert session["detail"] == "NonZeroExitCode"
    assert session["detail_text"] == "Its program ended with an error"
    assert NotebookSession.read(session).end == said
    [past] = (await ask(f"api/v1/{path}/sessions", "mia")).json["sessions"]
    assert past["detail_text"] == session["detail_text"]


@pytest.mark.parametrize("text", ["", "It waited in the queue for 3 hours.", "<b>&"])
async def test_a_sentence_is_told_as_it_is(
    ask: Client, site: FakeSite, text: str
) -> None:
    path = end(site, text)
    session = (await ask(f"api/v1/{path}", "mia")).json["session"]
    assert (session["detail"], session["detail_text"]) == (text, text)
    assert NotebookSession.read(session).end == text
    assert "<b>&" not in (await ask(path, "mia")).text


async def test_the_history_has_times_queue_end_and_cost(
    ask: Client, site: FakeSite
) -> None:
    path = end(site, "NonZeroExitCode")
    [past] = (await ask(f"api/v1/{path}/sessions", "mia")).json["sessions"]
    assert (past["queue"], past["began_at"]) == ("jupyter", BEGAN + 2)
    assert (past["ran_s"], past["cost_micro"]) == (58, 0)
    assert past["price"]["is_free"] is True
    shown = texts_of((await ask(path, "mia")).text)
    assert "Duration Cost" in shown
    assert "free" in shown.split("Duration Cost", 1)[1]


@pytest.mark.parametrize("most", ["0", "1001", "x", "-1"])
async def test_a_history_of_no_length_is_refused(
    ask: Client, site: FakeSite, most: str
) -> None:
    path = end(site, "")
    answer = await ask(f"api/v1/{path}/sessions?most={most}", "mia")
    assert answer.status == 400


async def test_an_owner_is_told_of_a_job_that_no_session_has(
    ask: Client, site: FakeSite
) -> None:
    path, key = end(site, ""), "abcdefghijklmnopqrstuvwxyz"
    lost = replace(
        job(48_001, "mia", "jupyter", "RUNNING", submitted_at=int(BEGAN)),
        name=f"nb-{path.rpartition('/')[2]}-{key}",
    )
    picture = reading(time.time())
    assert "scancel" not in (await ask(path, "mia")).text
    site.queues.store.save(replace(picture, jobs=(*picture.jobs, lost)), {})
    await asyncio.sleep(GLANCE_S)
    told = texts_of((await ask(path, "mia")).text)
    assert "Job 48001 of this notebook is still there" in told
    assert "scancel 48001" in told


async def test_who_else_computes_on_the_node_is_counted(
    ask: Client, site: FakeSite
) -> None:
    store, sessions = site.notebooks.store, site.notebooks.sessions
    made = store.create("mia", CHOICES, BEGAN)
    asked = sessions.ask(made.id, CHOICES, "key", BEGAN)
    sessions.submitted(asked.id, 48_001, BEGAN)
    sessions.placed(asked.id, "jup01", 40_000, BEGAN)
    sessions.reached(asked.id, Phase.READY, BEGAN)
    picture = reading(time.time())
    own = job(48_001, "mia", "jupyter", "RUNNING", node_list="jup01")
    jobs = (*picture.jobs, replace(own, name=f"nb-{made.id}-key"))
    site.queues.store.save(replace(picture, jobs=jobs), {})
    found = (await ask(f"api/v1/notebooks/{made.id}", "mia")).json["neighbours"]
    assert found == {
        "node": "jup01",
        "jobs": 2,
        "mine": 1,
        "with_gpus": 2,
        "shares_gpus": True,
        "people": [],
    }
    shown = texts_of((await ask(f"notebooks/{made.id}", "mia")).text)
    assert "other jobs on this node: 2 · yours: 1 · with GPUs: 2" in shown
    assert "theirs may be the same as yours" in shown
    read = Notebook.read((await ask(f"api/v1/notebooks/{made.id}", "mia")).json)
    assert (
        "beside it: 2 other jobs on jup01; 1 yours; "
        "2 with GPUs, perhaps on the same GPU" in list(told(read))
    )


@pytest.mark.parametrize(
    ("detail", "is_shown"),
    [("NonZeroExitCode", True), ("", False), ("It waited for 3 hours.", False)],
)
async def test_the_list_has_slurms_word_in_words(
    ask: Client, site: FakeSite, detail: str, is_shown: bool
) -> None:
    end(site, detail)
    shown = texts_of((await ask("notebooks", "mia")).text)
    assert "Failed" in shown
    assert ("Its program ended with an error" in shown) is is_shown
    assert "NonZeroExitCode" not in shown
