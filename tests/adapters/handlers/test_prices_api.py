"""What a job would cost through REST, SDK and command: the estimate of forms, too."""

import json
from pathlib import Path
from urllib.parse import quote

import pytest
from click.testing import CliRunner

from handlers.service import Folders
from kqi_hub.cli.main import kqi
from kqi_hub.sdk.client import Client as Portal
from kqi_hub.sdk.config import Config, save
from tests.adapters.handlers.conftest import Client
from tests.fakes.site import FakeSite, serving_beside

PRICE = "api/v1/price?tenant=vision"


async def test_a_job_is_priced_in_every_queue_the_cheapest_first(ask: Client) -> None:
    found = (await ask(f"{PRICE}&cpus=2&lifetime_s=7200", "mia")).json
    assert (found["tenant"], found["lifetime_s"]) == ("vision", 7200)
    assert [one["queue"] for one in found["queues"]] == [
        "jupyter",
        "cpu",
        "v100",
        "a100",
    ]
    by_name = {one["queue"]: one for one in found["queues"]}
    assert by_name["cpu"]["price"]["micro_per_hour"] == 3_000_000
    assert by_name["cpu"]["cost_micro"] == 6_000_000
    assert by_name["jupyter"]["cost_micro"] == 0
    assert by_name["v100"]["price"]["whole_node"]
    assert all(one["left_micro"] is None for one in found["queues"])


async def test_what_could_never_start_comes_last(ask: Client) -> None:
    found = (await ask(f"{PRICE}&gpus=8&gpu_type=a100", "mia")).json["queues"]
    assert found[0]["queue"] == "a100"
    assert found[0]["cost_micro"] is None
    assert [one["is_possible"] for one in found] == [True, False, False, False]


async def test_one_queue_is_priced_alone_and_others_are_not_there(ask: Client) -> None:
    found = (await ask(f"{PRICE}&queue=v100&gpus=1&lifetime_s=90", "mia")).json
    [only] = found["queues"]
    assert (only["queue"], only["cost_micro"]) == ("v100", 3_000_000)
    assert (await ask(f"{PRICE}&queue=nosuch", "mia")).status == 404
    assert (await ask("api/v1/price?tenant=nosuch", "mia")).status == 404


@pytest.mark.parametrize(
    "query",
    ["cpus=0", "lifetime_s=59", "lifetime_s=1e9", "queue=", "queue=" + "x" * 65,
     "gpu_type=a b", "gpus=-1", "colour=red", "queue=a&queue=b"],
)  # fmt: skip
async def test_a_wrong_question_is_refused(ask: Client, query: str) -> None:
    found = await ask(f"{PRICE}&{quote(query, safe='=&')}", "mia")
    assert found.status == 400


def test_the_command_and_the_sdk_say_the_same(
    folders: Folders, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KQI_CONFIG_DIR", str(tmp_path))
    words = ["price", "-p", "v100", "--gpus", "v100:4", "-t", "8:00:00"]
    with serving_beside(FakeSite(folders=folders)) as site:
        token = site.hub.token("mia")
        save(Config(f"{site.origin}/", "vision", token))
        told = CliRunner().invoke(kqi, words, catch_exceptions=False)
        assert "120 JPY" in told.stdout
        assert "960 JPY" in told.stdout
        as_json = CliRunner().invoke(kqi, [*words, "--json"], catch_exceptions=False)
        [only] = json.loads(as_json.stdout)["queues"]
        assert only["cost_micro"] == 960_000_000
        with Portal(f"{site.origin}/", token) as portal:
            found = portal.price("cpu", cpus=2, lifetime_s=3600, tenant="vision")
            assert found.queues[0].cost_micro == 3_000_000
