"""Why a notebook waits: one text, on its page, in the list, over REST and in `kqi`."""

import html
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
from click.testing import CliRunner

from handlers.service import Folders
from kqi_hub.cli.main import kqi
from kqi_hub.domain.notebook_ports import SessionEnd
from kqi_hub.domain.notebooks import Cause
from kqi_hub.sdk.client import Client
from kqi_hub.sdk.config import Config, save
from tests.fakes.notebooks import CHOICES
from tests.fakes.queues import job, reading
from tests.fakes.site import FakeSite, serving_beside

JOB = 300


@pytest.fixture
def site(
    folders: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FakeSite]:
    for name in ("KQI_SERVER", "KQI_TOKEN", "KQI_TENANT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KQI_CONFIG_DIR", str(tmp_path))
    with serving_beside(FakeSite(folders=folders)) as served:
        save(Config(f"{served.origin}/", "vision", served.hub.token("mia")))
        yield served


def waits(site: FakeSite, reason: str) -> str:
    """Let mia have a notebook whose job waits for a reason; return its name."""
    fake, now = site.notebooks, time.time()
    made = fake.store.create("mia", replace(CHOICES, name="waits"), now)
    live = fake.sessions.ask(made.id, made.choices, "k" * 26, now - 60)
    fake.sessions.submitted(live.id, JOB, now - 59)
    starts_at = int(now) + 1200
    found = job(JOB, "mia", "jupyter", "PENDING", reason=reason, starts_at=starts_at)
    picture = reading(now)
    jobs = (*picture.jobs, replace(found, name=live.job_name))
    site.queues.store.save(replace(picture, jobs=jobs), {})
    return made.choices.name


def page(site: FakeSite, path: str) -> str:
    """Return a page as mia has it."""
    headers = {"Authorization": f"token {site.hub.token('mia')}"}
    answer = httpx2.get(site.url(path), headers=headers, follow_redirects=False)
    assert answer.status_code == 200
    return html.unescape(answer.text)


@pytest.mark.parametrize("reason", ["Priority", "Resources", "QOSMaxJobsPerUserLimit"])
def test_every_door_says_the_same_words(
    site: FakeSite, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    name = waits(site, reason)
    with Client.from_config() as portal:
        told = portal.notebook_named(name)
    assert told is not None
    assert told.waiting is not None
    text, hint = told.waiting["text"], told.waiting["hint"]
    assert len(text) > 20
    assert reason not in text  # words, not Slurm's own
    assert told.waiting["starts_at"]
    assert text in page(site, "notebooks")
    whole = page(site, f"notebooks/{told.id}")
    assert text in whole
    assert hint in whole

    def end_it(_: float) -> None:
        [live] = site.notebooks.sessions.live()
        end = SessionEnd(time.time(), Cause.STOPPED)
        site.notebooks.sessions.ended(live.id, end)

    monkeypatch.setattr("kqi_hub.cli.notebook_wait.time.sleep", end_it)
    ran = CliRunner().invoke(kqi, ("notebook", "start", name))
    assert f"{text} {hint}".strip() in ran.output
    assert "Expected start: " in ran.output


def test_a_reason_that_nobody_has_words_for_is_shown_as_it_is(site: FakeSite) -> None:
    waits(site, "SomethingNew<b>")
    assert "SomethingNew<b>" in page(site, "notebooks")


@pytest.mark.parametrize("stops", [True, False])
def test_logging_out_proposes_what_the_site_says(folders: Folders, stops: bool) -> None:
    made = FakeSite(folders=folders)
    made.notebooks.stops_on_logout = stops
    with serving_beside(made) as site:
        waits(site, "Priority")
        served = page(site, "logout")
    chosen = [one for one in served.split("<input") if "checked" in one.split(">")[0]]
    [way] = [one for one in chosen if 'name="notebooks"' in one.split(">")[0]]
    assert f'value="{"stop" if stops else "leave"}"' in way.split(">")[0]
