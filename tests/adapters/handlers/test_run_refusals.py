"""What is refused of trainings and inferences over REST, and what is kept as it is."""

from typing import Any
from urllib.parse import quote

import pytest

from kqi_hub.domain.runs import RunState
from tests.adapters.handlers.browser import SCRIPT, Browser
from tests.adapters.handlers.conftest import Client
from tests.adapters.handlers.test_runs_api import ASKED, TRAINING, submit
from tests.fakes.runs import DONE, FAILED, RUNNING
from tests.fakes.site import FakeSite


@pytest.mark.parametrize(
    "query",
    [
        "sort=password",
        "sort=id;drop",
        "state=gone",
        "page=0",
        "per_page=1001",
        "per_page=all",
        "favourite=perhaps",
        f"name={'x' * 201}",
        "nothing=1",
    ],
)
async def test_a_question_that_makes_no_sense_is_refused(
    ask: Client, query: str
) -> None:
    assert (await ask(f"{TRAINING}?{query}", "mia")).status == 400


@pytest.mark.parametrize(
    "about",
    [
        {"name": ""},
        {"name": "A b"},
        {"name": "x" * 31},
        {"name": "a\n#SBATCH --uid=root"},
        {"name": ["first"]},
        {"queue": "cpu --uid=0"},
        {"queue": "../cpu"},
        {"queue": "nosuch"},
        {"command": ""},
        {"command": " \n"},
        {"command": "echo \0"},
        {"command": "\ud800"},
        {"command": "x" * 65_537},
        {"command": "ä" * 40_000},
        {"command": 7},
        {"cpus": "2"},
        {"cpus": 0},
        {"cpus": 2.5},
        {"cpus": True},
        {"cpus": 10**30},
        {"memory_mb": -1},
        {"gpus": 1, "gpu_type": "a100,node=x"},
        {"lifetime_s": 0},
        {"lifetime_s": "1h"},
        {"dataset": 99},
        {"dataset": "1"},
        {"dataset": 2**64},
        {"staging": "move"},
        {"parents": [{"kind": "training", "id": 99}]},
        {"parents": [{"kind": "preprocessing", "id": 1}]},
        {"parents": [{"kind": "training", "id": RUNNING}]},
        {"parents": [{"kind": "training", "id": DONE}] * 2},
        {"parents": [DONE]},
        {"environment": "../base"},
        {"environment": "a b"},
        {"source": {"url": "file:///etc/passwd"}},
        {"source": {"url": "ext::sh -c id"}},
        {"source": {"url": "--upload-pack=id"}},
        {"source": {"url": "https://git.example.org/a", "commit": "HEAD~1"}},
        {"source": {"url": "https://git.example.org/a", "ref": "--all"}},
        {"source": "https://git.example.org/a"},
        {"variables": [{"name": "A B", "value": ""}]},
        {"variables": [{"name": "KQI_RUN_ID", "value": "1"}]},
        {"variables": [{"name": "SLURM_JOB_ID", "value": "1"}]},
        {"variables": [{"name": "A", "value": "\0"}]},
        {"variables": [{"name": "A", "value": "x" * 4097}]},
        {"variables": {"A": "1"}},
        {"ports": [0]},
        {"ports": [65_536]},
        {"ports": [80, 80]},
        {"ports": ["80"]},
        {"zip": "yes"},
        {"memo": "a\0b"},
        {"memo": "x" * 100_000},
        {"tags": ["x"] * 51},
        {"tags": ["a\nb"]},
        {"tags": "paper"},
        {"is_prepared": 1},
        {"keeps_refused": "no"},
        {"owner": "max"},
        {"tenant": ""},
        {"tenant": None},
    ],
    ids=lambda about: ascii(about)[:60],
)
async def test_a_run_that_makes_no_sense_is_refused_and_nothing_is_kept(
    ask: Client, site: FakeSite, about: dict[str, Any]
) -> None:
    site.runs.furnish("mia")
    before = set(site.runs.store.runs)
    for path in (TRAINING, f"{TRAINING}/estimate"):
        if path != TRAINING and about.keys() & {"is_prepared", "keeps_refused"}:
            continue
        answer = await ask(path, "mia", "POST", {**ASKED, **about})
        # A queue that is not there, or somebody else's tenant, is not found.
        assert answer.status in {400, 404}, answer.text
    assert set(site.runs.store.runs) == before
    assert site.runs.submission.begun == []


@pytest.mark.parametrize(
    "command",
    [
        "echo $(id) `id` \"'; rm -rf /",
        "#SBATCH --uid=root\n#SBATCH --partition=secret",
        "echo ﷽ 😀 \u202e \x1b[31m",
        "x" * 65_536,
        "cat <<'EOF'\n--\nEOF\n",
    ],
    ids=ascii,
)
async def test_a_command_is_kept_letter_by_letter(
    ask: Client, site: FakeSite, command: str
) -> None:
    made = await submit(ask, command=command[:65_536])
    assert made.status == 201, made.text
    assert made.json["choices"]["command"] == command
    assert site.runs.store.runs[made.json["id"]].spec.command == command


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b"null", 400),
        (b'{"name": "a", "name": "b"}', 400),
        (b'{"name": NaN}', 400),
        (b"\xff\xfe", 400),
        (b"[" * 100_000, 400),
        (b'{"command": "' + b"x" * (1024 * 1024) + b'"}', 413),
    ],
    ids=["empty", "cut", "list", "null", "twice", "nan", "bytes", "deep", "1 MB"],
)
async def test_a_body_that_is_none_is_refused(
    ask: Client, site: FakeSite, body: bytes, status: int
) -> None:
    headers = {"Content_Type": "application/json"}
    answer = await ask(TRAINING, "mia", "POST", body, **headers)
    assert answer.status == status, answer.text
    assert site.runs.store.runs == {}


async def test_another_tenants_dataset_and_runs_are_not_there(
    ask: Client, site: FakeSite
) -> None:
    site.runs.furnish("mia")
    for end in ("", "/events", "/script", "/copy", "/deletion"):
        answer = await ask(f"{TRAINING}/{DONE}{end}", "mallory")
        assert answer.status == 404, end
    assert (await submit(ask, "mallory")).status == 404
    assert (await submit(ask, "victor")).status == 403


async def test_only_its_owner_changes_stops_and_deletes_a_run(
    ask: Client, site: FakeSite
) -> None:
    site.runs.furnish("mia")
    for method, path, body in (
        ("PATCH", f"{DONE}", {"memo": "mine"}),
        ("POST", f"{RUNNING}/stop", {"as_failed": True}),
        ("DELETE", f"{FAILED}", None),
        ("GET", f"{FAILED}/deletion", None),
        ("PUT", f"{DONE}/tags/mine", None),
        ("DELETE", f"{DONE}/tags/baseline", None),
    ):
        answer = await ask(f"{TRAINING}/{path}", "max", method, body)
        assert answer.status == 403, (path, answer.text)
        assert "mia" in answer.json["detail"]
    assert site.runs.submission.stopped == []


@pytest.mark.parametrize(
    "number", ["0", "-1", "one", "1e3", "٣", "%00", "..", "../1", "9" * 40, "%F0%9F"]
)
async def test_what_is_no_number_of_a_run_is_not_there(
    ask: Client, site: FakeSite, number: str
) -> None:
    site.runs.furnish("mia")
    path = quote(number, safe="%")
    assert (await ask(f"{TRAINING}/{path}/events", "mia")).status in {400, 404}


@pytest.mark.parametrize(
    "sent",
    [
        {"ids": [], "action": "stop"},
        {"ids": [0], "action": "stop"},
        {"ids": ["1"], "action": "stop"},
        {"ids": list(range(1, 1002)), "action": "stop"},
        {"ids": [1], "action": "shred"},
        {"ids": [1], "action": "tag"},
        {"ids": [1], "action": "tag", "tag": "a\0"},
        {"ids": 1, "action": "stop"},
        {"action": "stop"},
    ],
    ids=lambda sent: ascii(sent)[:60],
)
async def test_what_cannot_be_done_to_many_is_refused(
    ask: Client, site: FakeSite, sent: dict[str, Any]
) -> None:
    site.runs.furnish("mia")
    assert (await ask(f"{TRAINING}/bulk", "mia", "POST", sent)).status == 400
    assert site.runs.submission.stopped == []


@pytest.mark.parametrize("token", ["", "2|stale|stale|1", "x"])
async def test_a_page_of_another_site_cannot_stop_a_run(
    browser: Browser, site: FakeSite, token: str
) -> None:
    site.runs.furnish("mia")
    await browser.log_in("mia")
    async with browser.session.post(
        site.url(f"{TRAINING}/{RUNNING}/stop"),
        json={"as_failed": True},
        headers={**SCRIPT, "X-XSRFToken": token, "Sec-Fetch-Site": "cross-site"},
    ) as answer:
        assert answer.status == 403
    assert site.runs.store.runs[RUNNING].stopping is None


async def test_a_script_of_the_portals_own_page_may(
    browser: Browser, site: FakeSite
) -> None:
    site.runs.furnish("mia")
    shown = await browser.log_in("mia")
    async with browser.session.post(
        site.url(f"{TRAINING}/{RUNNING}/stop"),
        json={"as_failed": True},
        headers={**SCRIPT, "X-XSRFToken": shown.xsrf},
    ) as answer:
        assert answer.status == 200
    assert site.runs.store.runs[RUNNING].stopping is RunState.KILLED
