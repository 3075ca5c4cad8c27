"""./bench submit asks the real routes; Slurm's programs alone are played here."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest

from benchmarks import submit_inside
from benchmarks.slurm_rpcs import Counts
from benchmarks.submit_inside import Ways
from benchmarks.submit_slurm import Failed
from kqi_hub.domain.run_ports import Told
from kqi_hub.domain.runs import RunState
from tests.fakes.site import FakeSite, serving

MANY = 1  # the data that the site is furnished with


@dataclass
class FakeSlurm:
    """FakeSlurm: takes what is submitted, by hand or by the portal; nothing starts."""

    site: FakeSite
    scripts: list[str] = field(default_factory=list)
    waiting: dict[str, int] = field(default_factory=dict)
    loses: int = 0
    # What the portal has asked of it.
    submissions: int = 0

    def take(self, key: str) -> None:
        """Be given a job by the portal."""
        store = self.site.runs.store
        runs = store.named(key)
        self.submissions += 1
        store.keep_script(key, f"script of {runs[0].job_name}")
        store.submitted([run.id for run in runs], 1000 + runs[0].id, 100.0)
        self.waiting[runs[0].job_name] = len(runs) - self.loses

    def as_person(self, person: str, words: Sequence[str], given: str = "") -> str:
        if words[0].endswith("sbatch"):
            self.scripts.append(given)
            [name] = [one for one in words if one.startswith("--job-name=")]
            many = MANY if "preprocessings" in given else 1
            name = name.removeprefix("--job-name=")
            self.waiting[name] = self.waiting.get(name, 0) + many
            return "7\n"
        self.waiting["submitit"] = MANY
        return json.dumps({"seconds": 0.25, "jobs": MANY, "arrays": 1})

    def cancel(self, person: str) -> None:
        self.waiting.clear()
        store = self.site.runs.store
        for run in store.live("mia"):
            if run.job_id is not None:
                end = Told(RunState.KILLED, 101.0, ended_at=101.0)
                store.told(run.id, end)

    def jobs_of(self, person: str, name: str) -> int:
        return self.waiting.get(name, 0)

    def counts(self) -> Counts:
        by_hand = len(self.scripts)
        kinds = {"REQUEST_SUBMIT_BATCH_JOB": self.submissions + by_hand}
        return Counts({"alice": self.submissions + by_hand}, kinds)


class Portal:
    """What our_portal returns: a token's holder."""

    def __init__(self, site: FakeSite) -> None:
        headers = {"Authorization": f"token {site.hub.token('mia')}"}
        base = site.url("").removesuffix("/").removesuffix("/services/portal")
        self.http = httpx2.Client(base_url=base, headers=headers, timeout=30)

    def another(self) -> httpx2.Client:
        return self.http


@pytest.fixture
async def slurm(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> AsyncIterator[FakeSlurm]:
    async with serving(FakeSite()) as site:
        await site.data.furnish("mia")
        made = FakeSlurm(site)
        monkeypatch.setattr(site.runs.submission, "begin", made.take)
        for name in ("as_person", "cancel", "jobs_of", "counts"):
            monkeypatch.setattr(submit_inside, name, getattr(made, name))
        monkeypatch.setattr(submit_inside, "MANY", MANY)
        monkeypatch.setattr(submit_inside, "SINGLES", 2)
        portal = Portal(site)
        monkeypatch.setattr(submit_inside, "our_portal", lambda _: portal)
        monkeypatch.setattr(submit_inside, "as_portal", lambda *_: [1])
        monkeypatch.setattr(shutil, "chown", lambda *_: None)
        yield made
        portal.http.close()


async def test_every_way_is_measured(slurm: FakeSlurm, tmp_path: Path) -> None:
    ways = await asyncio.to_thread(Ways, "python", tmp_path)
    await asyncio.to_thread(ways.singles)
    await asyncio.to_thread(ways.round)
    figures = ways.figures()
    assert figures["submitit"]["median_s"] == 0.25
    assert (figures["ours"]["calls"], figures["ours"]["submissions"]) == (1, 1)
    assert figures["sbatch calls"]["submissions"] == MANY
    assert figures["single, ours"]["median_s"] > 0
    assert set(figures) == {
        *("single, ours", "single, ours: answered", "single, ours: noted"),
        *("single, sbatch", "ours: answered", "ours", "sbatch --array"),
        *("sbatch calls", "submitit"),
    }
    array = [one for one in slurm.scripts if "preprocessings" in one]
    assert (len(array), len(slurm.scripts)) == (1, 1 + 2 + MANY)


async def test_a_task_that_slurm_does_not_have_ends_the_bench(
    slurm: FakeSlurm, tmp_path: Path
) -> None:
    slurm.loses = 1
    ways = await asyncio.to_thread(Ways, "python", tmp_path)
    with pytest.raises(Failed, match="Slurm has other jobs"):
        await asyncio.to_thread(ways.round)
