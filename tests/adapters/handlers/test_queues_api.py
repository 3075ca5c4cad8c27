"""Queues through REST, SDK and command: one service, one answer."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from click.testing import CliRunner

from handlers.service import Folders
from kqi_hub.cli.main import kqi
from kqi_hub.domain.cluster import Reading
from kqi_hub.sdk.client import Client as Portal
from kqi_hub.sdk.config import Config, save
from kqi_hub.sdk.errors import Refused
from tests.adapters.handlers.conftest import Client
from tests.fakes.queues import node, partition, reading
from tests.fakes.site import FakeSite, serving_beside

API = "api/v1"


def by_name(answer: Any) -> dict[str, Any]:
    return {one["name"]: one for one in answer["queues"]}


async def test_the_list_tells_what_is_free_and_whose_jobs_wait(ask: Client) -> None:
    answer = await ask(f"{API}/queues?tenant=vision", "mia")
    assert answer.status == 200
    assert answer.json["tenant"] == "vision"
    assert answer.json["picture"]["trust"] == "fresh"
    found = by_name(answer.json)
    assert list(found) == ["jupyter", "v100", "a100", "cpu"]
    assert found["v100"]["nodes"] == {
        "allocated": 1, "mixed": 0, "idle": 1, "down": 0, "total": 2,
    }  # fmt: skip
    assert found["v100"]["gpus"] == [{"free": 4, "total": 8, "type": "v100"}]
    assert found["a100"]["waiting_mine"] == found["a100"]["waiting_others"] == 1
    assert found["jupyter"]["is_free"]
    assert found["jupyter"]["purpose"] == "Setting up, preprocessing, debugging"
    assert found["jupyter"]["shares_gpus"]
    assert found["jupyter"]["places"] == {"free": 18, "total": 20}
    assert found["v100"]["exclusive"]
    assert found["cpu"]["max_time_s"] == 7 * 86_400
    assert all(one["may_use"] for one in found.values())


async def test_nobody_elses_name_or_job_is_in_the_answers(ask: Client) -> None:
    for path in ("queues", "queues/a100", "queues/a100/estimate"):
        text = (await ask(f"{API}/{path}?tenant=vision", "mia")).text
        assert "mallory" not in text
        assert "max" not in text.replace("max_time_s", "")
        assert "job-107" not in text


async def test_who_only_looks_on_sees_the_queues_and_why_not(ask: Client) -> None:
    found = by_name((await ask(f"{API}/queues?tenant=vision", "victor")).json)
    assert not found["cpu"]["may_use"]
    assert "no association" in found["cpu"]["obstacle"]


async def test_waiting_jobs_are_told_with_the_reason_in_words(ask: Client) -> None:
    [waiting] = (await ask(f"{API}/queues/a100?tenant=vision", "mia")).json["waiting"]
    assert waiting["reason"] == "Resources"
    assert waiting["text"].startswith("Its queue is full")
    assert waiting["starts_at"] > time.time()
    [held] = (await ask(f"{API}/queues/cpu?tenant=vision", "mia")).json["waiting"]
    assert (held["kind"], held["can_act"]) == ("held", True)


@pytest.mark.parametrize("tenant", ["empty", "nope", "vision'", "%00", "x" * 64])
async def test_somebody_elses_tenant_is_not_there(ask: Client, tenant: str) -> None:
    for path in ("queues", "queues/cpu", "queues/cpu/estimate"):
        answer = await ask(f"{API}/{path}?tenant={tenant}", "mia")
        assert answer.status == 404


@pytest.mark.parametrize(
    "name", ["nope", "CPU", "%2e%2e", "cpu%00", "cpu%0a", "a b", "é", "x" * 200]
)
async def test_a_queue_that_is_not_there_is_told_so(ask: Client, name: str) -> None:
    for path in (f"queues/{name}", f"queues/{name}/estimate"):
        assert (await ask(f"{API}/{path}", "mia")).status in {400, 404}


async def test_an_estimate_tells_price_wait_and_objections(ask: Client) -> None:
    path = f"{API}/queues/v100/estimate?tenant=vision&cpus=2&gpus=1&lifetime_s=3600"
    found = (await ask(path, "mia")).json
    assert found["is_possible"]
    assert (found["wait"], found["wait_s"]) == ("now", 0)
    assert found["price"] == {
        "currency": "JPY", "micro_per_hour": 120_000_000,
        "least_micro_per_hour": 120_000_000, "is_free": False, "whole_node": True,
    }  # fmt: skip
    never = (await ask(path.replace("gpus=1", "gpus=5"), "mia")).json
    assert (never["is_possible"], never["wait"]) == (False, "never")
    assert "has 4 GPUs; this asks for 5 GPUs" in never["objections"][0]


@pytest.mark.parametrize(
    "query",
    [
        "cpus=0", "cpus=-1", "cpus=1.5", "cpus=abc", "cpus=", "cpus=1e9",
        "cpus=99999999999999999999", "memory_mb=0", "gpus=-1", "gpu_type=a b",
        "gpu_type=%00", "gpu_type=../x", "gpu_type=" + "x" * 41, "lifetime_s=0",
        "lifetime_s=NaN", "colour=red", "cpus=1&cpus=2",
    ],
)  # fmt: skip
async def test_a_shape_that_is_none_is_refused(ask: Client, query: str) -> None:
    path = f"{API}/queues/cpu/estimate?tenant=vision&{quote(query, safe='=&%')}"
    assert (await ask(path, "mia")).status == 400


async def test_refresh_leaves_a_wish_and_slurm_that_is_down_is_told(
    ask: Client, site: FakeSite
) -> None:
    answer = await ask(f"{API}/refresh", "mia", "POST")
    assert answer.status == 202
    assert site.queues.store.asked == answer.json["asked_at"]
    site.queues.store.mark_failed("Unable to contact slurm controller", time.time() + 9)
    answer = await ask(f"{API}/refresh", "mia", "POST")
    assert (answer.status, answer.json["code"]) == (503, "cluster-unreachable")


async def test_names_of_queues_and_reasons_are_shown_as_text(
    ask: Client, site: FakeSite
) -> None:
    seen = reading(time.time())
    nodes = [node("n1", "x")]
    odd = partition("<b>x</b>", nodes, state="UP")
    site.queues.store.save(Reading(seen.taken_at, tuple(nodes), (odd,), ()), {})
    page = await ask("?tenant=vision", "mia", Accept="text/html")
    assert page.status == 200
    assert "<b>x</b>" not in page.text
    assert "&lt;b&gt;x&lt;/b&gt;" in page.text


@pytest.mark.parametrize("query", ["cpus=0", "cpus=x", "hours=9999999", "gpus=-1"])
async def test_a_page_asked_for_nonsense_says_so(ask: Client, query: str) -> None:
    for path in ("", "queues/cpu"):
        page = await ask(f"{path}?{query}", "mia", Accept="text/html")
        assert page.status == 400


@pytest.fixture
def served(
    folders: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FakeSite]:
    monkeypatch.setenv("KQI_CONFIG_DIR", str(tmp_path))
    for name in ("KQI_SERVER", "KQI_TOKEN", "KQI_TENANT"):
        monkeypatch.delenv(name, raising=False)
    with serving_beside(FakeSite(folders=folders)) as site:
        save(Config(f"{site.origin}/", "vision", site.hub.token("mia")))
        yield site


def run(*words: str) -> tuple[str, str]:
    done = CliRunner().invoke(kqi, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout, done.stderr


def test_the_sdk_reads_what_the_portal_answers(served: FakeSite) -> None:
    with Portal(f"{served.origin}/", served.hub.token("mia")) as portal:
        found = portal.queues("vision")
        assert [one.name for one in found.queues] == ["jupyter", "v100", "a100", "cpu"]
        assert found.queues[1].gpus[0].free == 4
        details = portal.queue("a100", "vision")
        assert details.nodes[0].gpus == (("a100", 8),)
        assert details.waiting[0].job_id == 106
        estimate = portal.estimate("cpu", cpus=2, memory_mb=2048, tenant="vision")
        assert estimate.price is not None
        assert estimate.price.micro_per_hour == 3_000_000
        assert portal.refresh() > 0
        for name in ("nope", "..", "a/b", "x?y", ""):
            with pytest.raises(Refused):
                portal.queue(name)


def test_the_command_lists_shows_and_watches(served: FakeSite) -> None:
    out, said = run("queue", "list")
    assert "jupyter" in out
    assert "18/20" not in out
    assert "free" in out
    assert "As of" in said
    out, _ = run("queue", "show", "v100", "--gpus", "1", "--lifetime", "4h")
    assert "120 JPY an hour, whole node; wait: now" in out
    out, _ = run("queue", "show", "a100", "--gpus", "9")
    assert "it could never start" in out
    assert "has 8 GPUs; this asks for 9 GPUs" in out
    out, _ = run("queue", "watch", "--times", "1", "--json")
    assert json.loads(out)["queues"][0]["name"] == "jupyter"
    out, _ = run("queue", "list", "--json")
    assert json.loads(out)["tenant"] == "vision"
    _, said = run("queue", "refresh")
    assert "Asked for" in said
    assert served.queues.store.asked is not None
