"""Notebooks over REST: one's own only, filters, pages, hostile fields, silent hubs."""

import re
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest

from handlers.service import Folders
from kqi_hub.domain.datasets import NewDataset
from kqi_hub.domain.errors import HubUnavailable
from kqi_hub.domain.notebooks import Ui
from tests.adapters.handlers.conftest import Client
from tests.fakes.notebooks import FakeNotebooks
from tests.fakes.site import FakeSite, serving

MAKE = "api/v1/tenants/vision/notebooks"
GOOD: dict[str, Any] = {"name": "trial", "queue": "jupyter", "cpus": 2}
SILENT = HubUnavailable("The hub does not answer right now.")


async def make(ask: Client, person: str = "mia", **about: Any) -> dict[str, Any]:
    answer = await ask(MAKE, person, "POST", {**GOOD, **about})
    assert answer.status == 201, answer.text
    made: dict[str, Any] = answer.json
    return made


async def test_dataset_is_one_of_the_persons_tenants(
    ask: Client, site: FakeSite
) -> None:
    datasets = site.notebooks.datasets
    for tenant in ("vision", "nlp", "bio"):
        datasets.create(NewDataset(tenant, "signs"), "somebody", 1.0)
    made = await make(ask, dataset=2, staging="copy")
    assert made["choices"]["dataset"] == 2
    assert made["choices"]["staging"] == "copy"
    refused = await ask(MAKE, "mia", "POST", {**GOOD, "name": "other", "dataset": 3})
    assert refused.status == 400
    assert "no dataset 3" in refused.text
    path = f"api/v1/notebooks/{made['id']}"
    seen = made["changed_at"]
    changed = {**GOOD, "dataset": None, "changed_at": seen}
    answer = await ask(path, "mia", "PUT", changed)
    assert answer.json["choices"]["dataset"] is None
    assert answer.json["choices"]["staging"] == "link"


async def test_git_push_is_a_choice_that_is_off_unless_it_is_made(
    ask: Client, site: FakeSite
) -> None:
    repository = {"url": "https://git.example.org/a/b.git", "ref": ""}
    made = await make(ask, repository=repository)
    assert made["choices"]["may_push"] is False
    path = f"api/v1/notebooks/{made['id']}"
    wanted = {**GOOD, "repository": repository, "may_push": True}
    changed = await ask(
        path, "mia", "PUT", {**wanted, "changed_at": made["changed_at"]}
    )
    assert changed.json["choices"]["may_push"] is True
    assert site.notebooks.store.notebooks[made["id"]].choices.may_push


async def test_dataset_that_is_gone_is_told_at_the_start(
    ask: Client, site: FakeSite
) -> None:
    site.notebooks.datasets.create(NewDataset("vision", "signs"), "mia", 1.0)
    made = await make(ask, dataset=1)
    site.notebooks.datasets.delete(1)
    answer = await ask(f"api/v1/notebooks/{made['id']}/start", "mia", "POST")
    assert answer.status == 400
    assert "no dataset 1" in answer.text


async def test_results_are_those_of_ones_own_runs(ask: Client, site: FakeSite) -> None:
    site.runs.furnish("mia")
    made = await make(ask, parents=[1, 6])
    assert made["choices"]["parents"] == [1, 6]
    path = f"api/v1/notebooks/{made['id']}"
    started = await ask(f"{path}/start", "mia", "POST")
    assert started.status == 202
    await ask(f"{path}/stop", "mia", "POST")
    for number in (99, -1, "1; id"):
        refused = await ask(MAKE, "mia", "POST", {**GOOD, "parents": [number]})
        assert refused.status == 400, number
    theirs = await ask(MAKE, "max", "POST", {**GOOD, "parents": [1]})
    assert theirs.status == 400
    assert "no run 1 " in theirs.text


async def test_results_that_are_gone_are_told_at_the_start(
    ask: Client, site: FakeSite
) -> None:
    site.runs.furnish("mia")
    made = await make(ask, parents=[1])
    site.runs.store.runs.clear()
    answer = await ask(f"api/v1/notebooks/{made['id']}/start", "mia", "POST")
    assert answer.status == 400
    assert "no run 1 " in answer.text


async def test_a_notebook_is_made_started_and_stopped(
    ask: Client, site: FakeSite
) -> None:
    made = await make(ask, variables=[{"name": "A", "value": " 1 "}], memo="paper")
    assert made["choices"]["variables"] == [{"name": "A", "value": " 1 "}]
    assert (made["status"], made["tenant"]) == ("new", "vision")
    path = f"api/v1/notebooks/{made['id']}"
    started = await ask(f"{path}/start", "mia", "POST")
    assert (started.status, started.json["status"]) == (202, "waiting")
    assert "stop" in started.json["actions"]
    again = await ask(f"{path}/start", "mia", "POST")
    assert again.json["session"]["id"] == started.json["session"]["id"]
    stopped = await ask(f"{path}/stop", "mia", "POST")
    assert stopped.json["status"] == "stopping"
    assert [words[0] for words in site.notebooks.hub.asked] == [
        "start",
        "start",
        "stop",
    ]


OTHERS = [
    ("GET", "", None),
    ("PUT", "", {**GOOD, "changed_at": 1e12}),
    ("DELETE", "", None),
    ("POST", "/start", None),
    ("POST", "/rerun", {**GOOD, "changed_at": 1e12}),
    ("POST", "/stop", None),
    ("POST", "/copy", {"name": ""}),
    ("PUT", "/favourite", {"is_favourite": True}),
    ("GET", "/sessions", None),
    ("POST", "/open", None),
]


@pytest.mark.parametrize(("method", "end", "body"), OTHERS)
@pytest.mark.parametrize("person", ["max", "victor", "mallory", "rita"])
async def test_somebody_elses_notebook_is_not_there_even_for_operators(
    ask: Client, site: FakeSite, person: str, method: str, end: str, body: object
) -> None:
    made = await make(ask)
    answer = await ask(f"api/v1/notebooks/{made['id']}{end}", person, method, body)
    assert (answer.status, answer.json["code"]) == (404, "not-found")
    assert site.notebooks.hub.asked == []


@pytest.mark.parametrize("number", ["0", "9999999999999999999999", "1a", "none"])
async def test_what_is_no_number_is_no_notebook(ask: Client, number: str) -> None:
    assert (await ask(f"api/v1/notebooks/{number}", "mia")).status == 404


async def test_a_manager_sees_the_tenants_without_variables_and_commands(
    ask: Client,
) -> None:
    await make(ask, variables=[{"name": "SECRET", "value": "geheim"}], command="geheim")
    answer = await ask(MAKE, "max")
    [row] = answer.json["notebooks"]
    assert (row["owner"], row["actions"]) == ("mia", [])
    assert "geheim" not in answer.text
    assert (await ask("api/v1/tenants/nlp/notebooks", "max")).status == 404
    assert (await ask(MAKE, "mia")).status == 403


@pytest.mark.parametrize(
    "about",
    [
        {"name": "A b"},
        {"name": "a\nb"},
        {"name": None},
        {"queue": "a\n#SBATCH --uid=0"},
        {"queue": "../x"},
        {"cpus": "two"},
        {"cpus": -1},
        {"cpus": 10**30},
        {"memory_mb": 0},
        {"gpu_type": "a b", "gpus": 1},
        {"lifetime_s": None},
        {"lifetime_s": 1},
        {"preset": "none"},
        {"ui": "vscode"},
        {"environment": "$(id)"},
        {"repository": {"url": "file:///etc/shadow"}},
        {"repository": {"url": "https://h.org/a", "ref": "--upload-pack=x"}},
        {"repository": {"url": "https://h.org/a", "depth": 1}},
        {"variables": [{"name": "JUPYTERHUB_API_TOKEN", "value": "x"}]},
        {"variables": [{"name": "A\n", "value": "x"}]},
        {"variables": {"A": "x"}},
        {"command": "x" * 9000},
        {"memo": "\u0000"},
        {"dataset": 0},
        {"dataset": 2**63},
        {"dataset": "7"},
        {"dataset": 99},
        {"staging": "move"},
        {"staging": None},
        {"may_push": True},
        {"may_push": "true", "repository": {"url": "https://h.org/a"}},
        {"may_push": 1, "repository": {"url": "https://h.org/a"}},
        {"may_push": True, "repository": {"url": "git@h.org:a/b.git"}},
        {"may_push": True, "repository": {"url": "http://h.org/a"}},
        {"owner": "max"},
        {"unknown": 1},
    ],
)
async def test_a_field_that_breaks_its_rule_is_a_problem_and_nothing_is_kept(
    ask: Client, site: FakeSite, about: dict[str, Any]
) -> None:
    answer = await ask(MAKE, "mia", "POST", {**GOOD, **about})
    assert answer.status == 400, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert site.notebooks.store.notebooks == {}


async def test_the_list_is_filtered_and_has_pages(ask: Client) -> None:
    for name in ("one", "two", "three"):
        await make(ask, name=name, memo=f"about {name}")
    await make(ask, "max", name="other")

    async def names(query: str) -> list[str]:
        answer = await ask(f"api/v1/notebooks?{query}", "mia")
        return [row["choices"]["name"] for row in answer.json["notebooks"]]

    assert await names("") == ["three", "two", "one"]
    assert await names("name=o") == ["two", "one"]
    assert await names("name=!o") == ["three"]
    assert await names("memo=about+t") == ["three", "two"]
    assert await names("status=run") == []
    assert await names("live=false&per_page=2&page=2") == ["one"]
    assert await names("id=>1,<3") == ["two"]
    assert await names("created_at=<2026") == []
    assert await names("created_at=>=2026&queue=JUP") == ["three", "two", "one"]
    assert await names("memo=!TWO&sort=name") == ["one", "three"]
    page = await ask("api/v1/notebooks?per_page=1", "mia")
    assert page.json["total"] == 3
    assert page.headers["X-Total-Count"] == "3"
    for query in ("per_page=1001", "sort=memo", "created_by=mia", f"id={'1' * 201}"):
        assert (await ask(f"api/v1/notebooks?{query}", "mia")).status == 400


@pytest.mark.parametrize(
    ("field", "typed"), [("id", "seven"), ("id", "=>1"), ("created_at", "2026-02-30")]
)
async def test_what_cannot_be_read_finds_nothing_and_is_named(
    ask: Client, field: str, typed: str
) -> None:
    await make(ask)
    for path, person in (("api/v1/notebooks", "mia"), (MAKE, "max")):
        found = (await ask(f"{path}?{urlencode({field: typed})}", person)).json
        assert found["unread"] == {field: typed}
        assert (found["notebooks"], found["total"]) == ([], 0)


async def test_a_manager_finds_notebooks_by_who_made_them(ask: Client) -> None:
    await make(ask, name="hers")
    await make(ask, "max", name="his")

    async def names(typed: str) -> list[str]:
        answer = await ask(f"{MAKE}?{urlencode({'created_by': typed})}", "max")
        return [row["choices"]["name"] for row in answer.json["notebooks"]]

    assert await names("") == ["his", "hers"]
    assert await names("MIA") == ["hers"]
    assert await names("!mia") == ["his"]
    assert await names("' OR 1=1 --\n") == []


async def test_a_change_of_what_has_changed_meanwhile_is_a_conflict(
    ask: Client,
) -> None:
    made = await make(ask)
    path, seen = f"api/v1/notebooks/{made['id']}", made["changed_at"]
    first = await ask(path, "mia", "PUT", {**GOOD, "memo": "1", "changed_at": seen})
    assert first.status == 200
    second = await ask(path, "mia", "PUT", {**GOOD, "memo": "2", "changed_at": seen})
    assert second.status == 409


async def test_a_silent_hub_is_a_clear_503_and_the_wish_ends(
    ask: Client, site: FakeSite
) -> None:
    made = await make(ask)
    site.notebooks.hub.down = SILENT
    path = f"api/v1/notebooks/{made['id']}"
    answer = await ask(f"{path}/start", "mia", "POST")
    assert (answer.status, answer.json["code"]) == (503, "hub-unavailable")
    assert "does not answer" in answer.json["detail"]
    assert (await ask(path, "mia")).json["status"] == "failed"
    assert (await ask("api/v1/agent", "mia", "POST")).status == 503


async def test_what_could_never_start_is_told_before_and_refused(ask: Client) -> None:
    wanted = {**GOOD, "cpus": 999}
    told = await ask(f"{MAKE}/check", "mia", "POST", wanted)
    assert told.json["is_possible"] is False
    assert told.json["objections"]
    made = await make(ask, cpus=999)
    answer = await ask(f"api/v1/notebooks/{made['id']}/start", "mia", "POST")
    assert answer.status == 400
    assert told.json["objections"][0] in answer.json["detail"]


async def test_a_check_tells_price_and_wait(ask: Client) -> None:
    told = await ask(f"{MAKE}/check", "mia", "POST", {**GOOD, "queue": "v100"})
    assert told.json["is_possible"] is True
    assert told.json["price"]["micro_per_hour"] > 0
    assert told.json["wait"] in {"now", "about"}


async def test_the_way_in_opens_this_server_alone(ask: Client, site: FakeSite) -> None:
    site.notebooks.furnish("mia")
    way = await ask("api/v1/notebooks/2/open", "mia", "POST")
    assert way.json["url"] == "user/mia/nb-2/lab"
    assert site.notebooks.hub.asked == [("token", "mia", "nb-2", "600")]
    assert (await ask("api/v1/notebooks/1/open", "mia", "POST")).status == 409


async def test_one_notebook_tells_how_old_the_picture_is(
    ask: Client, site: FakeSite
) -> None:
    site.notebooks.furnish("mia")
    found = await ask("api/v1/notebooks/2", "mia")
    assert found.json["picture"]["trust"] == "fresh"
    assert found.json["picture"]["age_s"] >= 0
    assert found.json["picture"]["said"].startswith("As of")


@pytest.mark.parametrize("usual", list(Ui))
async def test_where_nobody_chooses_the_site_says_what_opens(
    folders: Folders, usual: Ui
) -> None:
    rules = replace(FakeNotebooks().rules, ui=usual)
    offered = FakeSite(folders=folders, notebooks=FakeNotebooks(rules=rules))
    async with serving(offered) as site:
        ask = Client(site)
        made = await make(ask)
        assert made["choices"]["ui"] == usual
        other = next(one for one in Ui if one is not usual)
        assert (await make(ask, name="own", ui=other))["choices"]["ui"] == other
        changed = {**GOOD, "memo": "x", "changed_at": 1e12}
        put = await ask(f"api/v1/notebooks/{made['id']}", "mia", "PUT", changed)
        assert put.json["choices"]["ui"] == usual
        form = (await ask("notebooks/new", "mia")).text
        chosen = re.search(rf'<input[^>]*name="ui"[^>]*"{usual}"[^>]* checked', form)
        assert chosen is not None
